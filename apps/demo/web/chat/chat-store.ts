// Joins one HAIP client to the page: one immutable state, one way to hear of a new one, and what a person can do. Keeps
// every conversation that was opened, so that what goes on in one that is not shown is there when it is shown again.

import type { HAIPClient, Transaction } from '@haip/client-core';
import type { AudioMessage } from '@haip/protocol';
import type { CuttableNetwork } from '../connection/cuttable-network.ts';
import { ConversationList } from '../conversations/conversation-list.ts';
import {
  type ChatState,
  type FailedMessage,
  initialPage,
  initialTalk,
  isAnswering,
  type PageState,
  type Tool,
} from './chat-state.ts';
import { codeOf } from './error-code.ts';
import { OwnSessions } from './own-sessions.ts';
import { failedMessage, Talk } from './talk.ts';
import { countMove } from './tally.ts';

/** Each is read by the server all the time, which reads at most 100 for one connection. */
const mostOpen = 50;

export class ChatStore {
  readonly own = new OwnSessions();
  readonly list: ConversationList;
  readonly #client: HAIPClient;
  readonly #network: CuttableNetwork;
  readonly #listeners = new Set<() => void>();
  readonly #talks = new Map<string, Talk>();
  /** Of conversations that are not open: transaction id → what an earlier page could not send. */
  readonly #unsent = new Map<string, FailedMessage[]>();
  #page = initialPage;
  #talk: Talk | undefined;
  #state: ChatState = { ...initialPage, ...initialTalk };
  #isTelling = false;
  /** The latest wish of what to show: an answer to an earlier one changes nothing. */
  #wish = 0;

  constructor(client: HAIPClient, network: CuttableNetwork) {
    this.#client = client;
    this.#network = network;
    this.list = new ConversationList((after) => client.listTransactions(after === undefined ? {} : { after }));
    client.on('state', () => this.#readLink());
    // What was on its way when the page was loaded again, and can not be sent any more.
    client.on('failed', ({ id, type, transaction, payload, reason }) => {
      // Of a stop or an approval the conversation itself shows what became of it.
      if (transaction === null || (type !== 'MESSAGE' && type !== 'AUDIO')) return;
      const text = typeof payload === 'string' ? payload : '';
      this.#notSent(transaction, failedMessage(id, text, reason));
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): ChatState => this.#state;

  /** The conversation that is shown. */
  get talk(): Talk | undefined {
    return this.#talk;
  }

  /** Whether it is time to load the page anew before another conversation is opened. */
  get isFull(): boolean {
    return this.#talks.size >= mostOpen;
  }

  /** Connects; what fails shows as a state of the link. */
  connect(): void {
    this.#client.connect().catch(() => this.#readLink());
  }

  /** Shows the choice of what to begin. */
  choose(): void {
    this.#wish++;
    this.#show(undefined, { name: 'choosing' });
  }

  /** Begins a conversation with a tool. */
  async start(tool: Tool): Promise<void> {
    this.#show(undefined, { name: 'starting' });
    await this.#open(() => this.#client.startTransaction(tool), tool);
  }

  /** Shows the conversation of that id, and takes part in it. */
  async open(transaction: string): Promise<void> {
    const talk = this.#talks.get(transaction);
    if (talk && !talk.isLost) {
      this.#wish++;
      return this.#show(talk, { name: 'open', transaction });
    }
    this.#show(undefined, { name: 'joining' });
    const tool = this.list.find(transaction)?.toolName;
    await this.#open(() => this.#client.joinTransaction(transaction), tool);
  }

  readonly stop = async (): Promise<void> => this.#talk?.stop();

  async send(text: string): Promise<void> {
    await this.#talk?.send(text);
  }

  async sendAudio(audio: AudioMessage): Promise<void> {
    await this.#talk?.sendAudio(audio);
  }

  async sendAgain(message: FailedMessage): Promise<void> {
    await this.#talk?.sendAgain(message);
  }

  async answer(call: string, isApproved: boolean): Promise<void> {
    await this.#talk?.answer(call, isApproved);
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
    if (this.#page.movingTo === name) this.#change({ movingTo: undefined, notMovedTo });
  }

  async #open(open: () => Promise<Transaction>, tool: string | undefined): Promise<void> {
    const wish = ++this.#wish;
    try {
      const talk = this.#begin(await open(), tool);
      if (wish === this.#wish) this.#show(talk, { name: 'open', transaction: talk.transaction });
      this.list.wants(talk.transaction);
      if (tool === undefined) await talk.findTool();
    } catch (error) {
      if (wish === this.#wish) this.#show(undefined, { name: 'failed', code: codeOf(error) });
      this.list.refresh();
    }
  }

  #begin(chat: Transaction, tool: string | undefined): Talk {
    const failed = this.#unsent.get(chat.id) ?? [];
    this.#unsent.delete(chat.id);
    const talk = new Talk(chat, { tool, failed }, () => this.#changedIn(talk));
    this.#talks.set(chat.id, talk);
    chat.on('ended', () => this.list.refresh());
    return talk;
  }

  /** The one that is shown is shown anew; of the others only whether an agent is at work. */
  #changedIn(talk: Talk): void {
    const { transaction } = talk;
    if (talk.hasLine) this.list.wants(transaction, 'with a title');
    const { answering } = this.#page;
    const isAtWork = isAnswering(talk.state);
    if (answering.has(transaction) !== isAtWork) {
      const others = [...answering].filter((id) => id !== transaction);
      this.#change({ answering: new Set(isAtWork ? [...others, transaction] : others) });
    }
    if (talk === this.#talk) this.#change({ duplicates: this.#client.stats.duplicates });
  }

  #notSent(transaction: string, message: FailedMessage): void {
    const talk = this.#talks.get(transaction);
    if (talk) talk.change({ failed: [...talk.state.failed, message] });
    else this.#unsent.set(transaction, [...(this.#unsent.get(transaction) ?? []), message]);
  }

  #readLink(): void {
    const { state } = this.#client;
    const wasConnected = this.#page.link.name === 'connected';
    const isConnected = state.name === 'connected';
    if (wasConnected && !isConnected) for (const talk of this.#talks.values()) talk.countLoss();
    if (isConnected) {
      this.own.add(state.session);
      const isMove = wasConnected && this.#page.transport !== state.transport;
      if (isMove) for (const talk of this.#talks.values()) talk.change({ tally: countMove(talk.state.tally) });
      // What other tabs and devices began meanwhile.
      if (!wasConnected) this.list.refresh();
      this.#change({ transport: state.transport, notMovedTo: undefined });
    }
    if (state.name === 'waiting')
      this.#change({ link: { name: 'waiting', retryAt: performance.now() + state.retryInMs } });
    else this.#change({ link: { name: state.name === 'idle' ? 'connecting' : state.name } });
  }

  #show(talk: Talk | undefined, phase: PageState['phase']): void {
    this.#talk = talk;
    this.#change({ phase });
  }

  #change(change: Partial<PageState>): void {
    this.#page = { ...this.#page, ...change };
    this.#state = { ...this.#page, ...(this.#talk?.state ?? initialTalk) };
    if (this.#isTelling) return;
    // Once for all that one read of the socket changed: React gives up on a page that changes too often in one task.
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
