// One client that talks with a server which is killed now and then, and remembers what it was told: which of its
// messages were settled, what it was handed and in which order. Judges in the end against the log. Spec: invariants 3,
// 5, 7, 8, 9, 16.

import { HAIPClient, type Transaction } from '@haip/client-core';
import {
  type Conversation,
  type ConversationEntry,
  emptyConversation,
  reduceConversation,
  type Transport,
} from '@haip/protocol';

const isEndOfRun = (type: string): boolean => type === 'RUN_FINISHED' || type === 'RUN_ERROR';

export class Talker {
  readonly name: string;
  readonly #client: HAIPClient;
  readonly #chat: Transaction;
  readonly #settled = new Set<string>();
  readonly #faults: string[] = [];
  readonly #resumedMs: number[] = [];
  /** Where turns ended, and which message each of them answered. */
  readonly #ends: { readonly position: number; readonly answers: string | undefined }[] = [];
  readonly #answers = new Map<string, string>();
  #last = 0;
  #parts = 0;
  #waiting: (() => void)[] = [];
  #cutAt: number | undefined;

  private constructor(name: string, client: HAIPClient, chat: Transaction) {
    this.name = name;
    this.#client = client;
    this.#chat = chat;
    chat.on('entry', (entry) => this.#take(entry));
    chat.on('gap', ({ first, last }) => this.#fault(`told that ${first} to ${last} are missing`));
    chat.on('restart', () => this.#fault('told to begin afresh'));
    chat.on('closed', (reason) => {
      if (reason) this.#fault(`closed: ${reason.message}`);
      this.#look();
    });
  }

  static async begin(name: string, transport: Transport): Promise<Talker> {
    const client = new HAIPClient({
      transports: [transport],
      reconnect: { minDelayMs: 10, maxDelayMs: 100 },
      logger: () => {},
    });
    client.authenticate(() => ({ user: name }));
    await client.connect();
    return new Talker(name, client, await client.startTransaction('count'));
  }

  /** How many parts it was handed. */
  get parts(): number {
    return this.#parts;
  }

  get settled(): number {
    return this.#settled.size;
  }

  get faults(): readonly string[] {
    return this.#faults;
  }

  /** How long after each kill something came again. */
  get resumedMs(): readonly number[] {
    return this.#resumedMs;
  }

  /** The server was killed just now. */
  cut(): void {
    this.#cutAt = performance.now();
  }

  /** Has the tool count. Resolves when the turn has ended, however it did. */
  async ask(count: number): Promise<void> {
    const before = this.#last;
    try {
      const { id } = await this.#chat.sendText(String(count));
      this.#settled.add(id);
      await this.until(() => this.#ends.some(({ position, answers }) => position > before && answers === id));
    } catch (error) {
      this.#fault(`not sent: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Resolves once something is so, looked at with each entry; or when nothing more will come. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo() && this.#chat.closed === undefined) {
      await new Promise<void>((look) => {
        this.#waiting.push(look);
      });
    }
  }

  /** Compares all that was told with the log as it is stored, and leaves. */
  async judge(): Promise<void> {
    if (this.#chat.closed !== undefined) return this.#client.disconnect();
    const stored: ConversationEntry[] = [];
    for await (const entry of this.#chat.getReplayWindow(1)) stored.push(entry);
    this.#judgeLog(stored);
    const whole = stored.reduce<Conversation>(reduceConversation, emptyConversation);
    const told = this.#chat.conversation;
    if (JSON.stringify(whole.messages) !== JSON.stringify(told.messages)) {
      this.#fault('what it was told is not what the log says');
    }
    for (const { text, channel, status } of told.messages) {
      if (channel !== 'AGENT') continue;
      if (status === 'open') this.#fault('a message was left open');
      const numbers = text.split(' ').slice(0, -1).map(Number);
      if (!text.endsWith(' ') && text !== '') this.#fault(`a text breaks off: …${text.slice(-20)}`);
      if (numbers.some((number, at) => number !== at + 1)) this.#fault('a text repeats or leaves out a number');
    }
    this.#client.disconnect();
  }

  #judgeLog(stored: readonly ConversationEntry[]): void {
    const ids = stored.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) this.#fault('a message is in the log twice');
    for (const id of this.#settled) if (!ids.includes(id)) this.#fault('a settled message is not in the log');
    const ends = stored.filter(({ type }) => isEndOfRun(type)).map(({ run_id }) => run_id);
    if (new Set(ends).size !== ends.length) this.#fault('a run has two ends');
    for (let at = 1; at < stored.length; at++) {
      const [before, entry] = [stored[at - 1] as ConversationEntry, stored[at] as ConversationEntry];
      if (entry.position <= before.position) this.#fault('positions of the log do not rise');
    }
  }

  #take(entry: ConversationEntry): void {
    const { position, type, run_id, related_id } = entry;
    if (position <= this.#last) this.#fault(`handed ${position} after ${this.#last}`);
    this.#last = position;
    if (this.#cutAt !== undefined) {
      this.#resumedMs.push(performance.now() - this.#cutAt);
      this.#cutAt = undefined;
    }
    if (type === 'MESSAGE_PART') this.#parts++;
    if (run_id !== undefined && related_id !== undefined) this.#answers.set(run_id, related_id);
    if (isEndOfRun(type)) this.#ends.push({ position, answers: related_id ?? this.#answers.get(run_id ?? '') });
    this.#look();
  }

  #look(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  #fault(what: string): void {
    this.#faults.push(`${this.name}: ${what}`);
  }
}
