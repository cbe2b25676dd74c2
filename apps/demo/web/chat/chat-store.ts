// Joins one HAIP client to the page: one immutable state, one way to hear of a new one, and what a person can do. It
// decides nothing that the client decides: no retries, no ordering, no dropping of duplicates.

import { ConnectionEndedError, type HAIPClient, type Transaction, UnknownOutcomeError } from '@haip/client-core';
import { uuidIds } from '@haip/platform';
import { type AudioMessage, isJsonObject } from '@haip/protocol';
import type { CuttableNetwork } from '../connection/cuttable-network.ts';
import { type ChatState, type FailedMessage, initialState, isAnswering, type Tool } from './chat-state.ts';
import { OwnSessions } from './own-sessions.ts';
import { countEntry, countGap, countLoss, countMove, emptyTally } from './tally.ts';
import { placeCall } from './timeline.ts';

/** Why something ended: an error's code, and a word of the page's own for a tab that was duplicated. */
const codeOf = (error: unknown): string => {
  if (error instanceof ConnectionEndedError && error.closeCode === 4409) return 'superseded';
  return codeIn(error);
};

const codeIn = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';

export class ChatStore {
  readonly own = new OwnSessions();
  readonly #client: HAIPClient;
  readonly #network: CuttableNetwork;
  readonly #listeners = new Set<() => void>();
  #state = initialState;
  #isTelling = false;
  #chat: Transaction | undefined;

  constructor(client: HAIPClient, network: CuttableNetwork) {
    this.#client = client;
    this.#network = network;
    client.on('state', () => this.#readLink());
    // What was on its way when the page was loaded again, and can not be sent any more.
    client.on('failed', ({ id, type, payload, reason }) => {
      // Of a stop or an approval the conversation itself shows what became of it.
      if (type !== 'MESSAGE' && type !== 'AUDIO') return;
      this.#addFailed(id, typeof payload === 'string' ? payload : '', reason);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): ChatState => this.#state;

  /** Connects; what fails shows as a state of the link. */
  connect(): void {
    this.#client.connect().catch(() => this.#readLink());
  }

  /** Begins a conversation with a tool. */
  async start(tool: Tool): Promise<void> {
    this.#change({ phase: { name: 'starting' }, tool });
    await this.#open(() => this.#client.startTransaction(tool));
  }

  /** Joins the conversation that a link names. */
  async join(transaction: string): Promise<void> {
    this.#change({ phase: { name: 'joining' } });
    await this.#open(() => this.#client.joinTransaction(transaction));
  }

  /** Sends a text; shows it as pending until it is in the log. */
  async send(text: string): Promise<void> {
    try {
      await this.#chat?.sendText(text);
    } catch (error) {
      this.#fail(text, error);
    }
  }

  /** Sends a piece of audio. What fails is shown like a text that failed, but cannot be sent again. */
  async sendAudio(audio: AudioMessage): Promise<void> {
    try {
      await this.#chat?.sendAudio(audio);
    } catch (error) {
      this.#fail('', error);
    }
  }

  #fail(text: string, error: unknown): void {
    this.#addFailed(error instanceof UnknownOutcomeError ? error.id : uuidIds(), text, error);
  }

  #addFailed(id: string, text: string, error: unknown): void {
    const failed = { id, text, isUnknown: error instanceof UnknownOutcomeError };
    this.#change({ failed: [...this.#state.failed, failed] });
  }

  /** Sends a message again that failed, as a new one. */
  async sendAgain(message: FailedMessage): Promise<void> {
    this.#change({ failed: this.#state.failed.filter((failed) => failed !== message) });
    await this.send(message.text);
  }

  /** Stops the agent, whoever set it to work. While offline that waits for the connection. */
  readonly stop = async (): Promise<void> => {
    if (this.#state.isStopping || !isAnswering(this.#state)) return;
    this.#change({ isStopping: true });
    try {
      await this.#chat?.cancel();
    } catch {
      // The conversation shows what became of it: the answer goes on, has ended, or all is closed.
    }
    this.#change({ isStopping: false });
  };

  /** Answers a call that asks. Of several answers, from several people, the first in the log counts. */
  async answer(call: string, isApproved: boolean): Promise<void> {
    if (this.#state.answered.has(call)) return;
    this.#change({ answered: new Map([...this.#state.answered, [call, isApproved]]) });
    try {
      await this.#chat?.approve(call, isApproved);
    } catch {
      // The call shows what became of it; while it still waits it can be answered again.
      this.#change({ answered: new Map([...this.#state.answered].filter(([id]) => id !== call)) });
    }
  }

  /** Loses the connection as a dead network would. */
  cut(offlineMs?: number): void {
    this.#network.cut(offlineMs);
  }

  /** The names of the transports that there are. */
  get transports(): readonly string[] {
    return this.#network.transports.map(({ name }) => name);
  }

  /** Moves the live session to another transport; what fails shows in the state. */
  async moveTo(name: string): Promise<void> {
    const transport = this.#network.transports.find((one) => one.name === name);
    if (!transport) return;
    this.#change({ movingTo: name, notMovedTo: undefined });
    let notMovedTo: string | undefined;
    try {
      // biome-ignore lint/correctness/useHookAtTopLevel: a method of the client, no hook
      await this.#client.useTransport(transport);
    } catch {
      notMovedTo = name;
    }
    // Unless somebody has chosen another one meanwhile.
    if (this.#state.movingTo === name) this.#change({ movingTo: undefined, notMovedTo });
  }

  async #open(open: () => Promise<Transaction>): Promise<void> {
    try {
      const chat = await open();
      this.#chat = chat;
      chat.on('entry', (entry) => {
        this.#change({ tally: countEntry(this.#state.tally, entry), callsAt: placeCall(this.#state.callsAt, entry) });
      });
      chat.on('gap', (gap) => this.#change({ tally: countGap(this.#state.tally, gap) }));
      chat.on('restart', () =>
        this.#change({ restarted: true, tally: emptyTally, seams: new Map(), callsAt: new Map() }),
      );
      chat.on('closed', (reason) => this.#change({ closed: codeOf(reason) }));
      chat.on('change', () => this.#readChat());
      // What came before the listeners were there is counted as read.
      const tally = { ...emptyTally, position: chat.conversation.position };
      const closed = chat.closed && codeOf(chat.closed.reason);
      this.#change({ phase: { name: 'open', transaction: chat.id }, tally, closed });
      this.#readChat();
      if (this.#state.tool === undefined) await this.#findTool(chat);
    } catch (error) {
      this.#change({ phase: { name: 'failed', code: codeOf(error) } });
    }
  }

  /** The first entry of a log says what it was started with. */
  async #findTool(chat: Transaction): Promise<void> {
    try {
      for await (const { payload } of chat.getReplayWindow(1, 1)) {
        const name = isJsonObject(payload) ? payload['toolName'] : undefined;
        if (typeof name === 'string') this.#change({ tool: name });
      }
    } catch {
      // No longer kept. The page then does without the name.
    }
  }

  #readChat(): void {
    if (!this.#chat) return;
    const { conversation } = this.#chat;
    const pending = this.#chat.pending.map(({ id, payload }) => ({
      id,
      text: typeof payload === 'string' ? payload : '',
    }));
    // What nobody knew of, and turned up in the log after all, has not failed.
    const stored = new Set(conversation.messages.map(({ id }) => id));
    const failed = this.#state.failed.filter(({ id }) => !stored.has(id));
    this.#change({ conversation, pending, failed, duplicates: this.#client.stats.duplicates });
  }

  #readLink(): void {
    const { state } = this.#client;
    const wasConnected = this.#state.link.name === 'connected';
    if (wasConnected && state.name !== 'connected') this.#countLoss();
    if (state.name === 'connected') {
      this.own.add(state.session);
      const { transport, tally } = this.#state;
      const isMove = wasConnected && transport !== state.transport;
      this.#change({ transport: state.transport, notMovedTo: undefined, tally: isMove ? countMove(tally) : tally });
    }
    if (state.name === 'waiting')
      this.#change({ link: { name: 'waiting', retryAt: performance.now() + state.retryInMs } });
    else this.#change({ link: { name: state.name === 'idle' ? 'connecting' : state.name } });
  }

  #countLoss(): void {
    if (!this.#chat) return;
    const seams = new Map(this.#state.seams);
    for (const { id, status, text } of this.#chat.conversation.messages) {
      if (status === 'open') seams.set(id, [...(seams.get(id) ?? []), text.length]);
    }
    this.#change({ tally: countLoss(this.#state.tally), seams });
  }

  #change(change: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#isTelling) return;
    // Once for all that one read of the socket changed: React gives up on a page that changes too often in one task.
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
