// Joins one HAIP client to the page: one immutable state, one way to hear of a new one, and what a person can do. It
// decides nothing that the client decides: no retries, no ordering, no dropping of duplicates.

import { ConnectionEndedError, type HAIPClient, type Transaction, UnknownOutcomeError } from '@haip/client-core';
import { uuidIds } from '@haip/platform';
import { type AudioMessage, type Conversation, emptyConversation, isJsonObject } from '@haip/protocol';
import type { CuttableNetwork } from '../connection/cuttable-network.ts';
import { OwnSessions } from './own-sessions.ts';
import { countEntry, countGap, countLoss, countMove, emptyTally, type Tally } from './tally.ts';
import { placeCall } from './timeline.ts';

export type Tool = 'assistant' | 'echo';

type Phase =
  | { readonly name: 'choosing' }
  | { readonly name: 'starting' | 'joining' }
  | { readonly name: 'open'; readonly transaction: string }
  | { readonly name: 'failed'; readonly code: string };

export type Link =
  | { readonly name: 'connecting' | 'connected' | 'disconnected' }
  /** `retryAt` as performance.now() counts. */
  | { readonly name: 'waiting'; readonly retryAt: number };

export interface UnsentMessage {
  readonly id: string;
  /** Empty for audio. */
  readonly text: string;
}

export interface FailedMessage extends UnsentMessage {
  /** Written, and nobody can say whether it is in the log; else it certainly is not. */
  readonly isUnknown: boolean;
}

export interface ChatState {
  readonly phase: Phase;
  readonly link: Link;
  /** The name of the transport that carries the session, or did last. */
  readonly transport: string | undefined;
  /** The name of the one that the session is being moved to. */
  readonly movingTo: string | undefined;
  /** The name of one that it could not be moved to, until the next move. */
  readonly notMovedTo: string | undefined;
  readonly tool: string | undefined;
  readonly conversation: Conversation;
  /** Call id → where it began in the log. */
  readonly callsAt: ReadonlyMap<string, number>;
  /** Call id → what was answered here to its question, and is not in the log yet. */
  readonly answered: ReadonlyMap<string, boolean>;
  /** Written here and not in the log yet. */
  readonly pending: readonly UnsentMessage[];
  /** Refused, or lost with an unknown outcome. */
  readonly failed: readonly FailedMessage[];
  /** The agent was asked to stop, and that is not in the log yet. */
  readonly isStopping: boolean;
  readonly tally: Tally;
  /** Message id → the offsets in its text at which the connection was lost. */
  readonly seams: ReadonlyMap<string, readonly number[]>;
  /** The server began this conversation afresh. */
  readonly restarted: boolean;
  /** Nothing more will come: the code of why. */
  readonly closed: string | undefined;
  /** Frames that the client dropped because it had their positions. */
  readonly duplicates: number;
}

/** Whether an agent is at work that can be stopped. */
export const isAnswering = ({ conversation }: ChatState): boolean =>
  conversation.runs.some(({ status }) => status === 'RUNNING');

const initialState: ChatState = {
  phase: { name: 'choosing' },
  link: { name: 'connecting' },
  transport: undefined,
  movingTo: undefined,
  notMovedTo: undefined,
  tool: undefined,
  conversation: emptyConversation,
  callsAt: new Map(),
  answered: new Map(),
  pending: [],
  failed: [],
  isStopping: false,
  tally: emptyTally,
  seams: new Map(),
  restarted: false,
  closed: undefined,
  duplicates: 0,
};

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
    client.on('failed', ({ id, payload, reason }) => {
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
