// An application on a device: a real client, what it has open, and what it notes of everything it is told.

import type { Envelope, JsonValue, Transport } from '@haip/protocol';
import type { Chance } from './chance.ts';
import { Reading } from './checker/reading.ts';
import { Sending, type Sent } from './checker/sending.ts';
import type { StoredLogs } from './checker/stored-logs.ts';
import type { Verdicts } from './checker/verdicts.ts';
import type { Line, Network } from './network.ts';
import type { HttpKind, SimulatedClient, SimulatedCursor, SimulatedParts, SimulatedTransaction } from './parts.ts';
import type { ServerNode } from './server-node.ts';
import type { Trace } from './trace.ts';
import { Host, type World } from './world.ts';

/** What every application of one simulation shares. */
export interface AppParts {
  readonly world: World;
  readonly trace: Trace;
  readonly parts: SimulatedParts;
  readonly network: Network;
  readonly nodes: readonly ServerNode[];
  /** By what a client may connect to each node; undefined stands for a link that keeps order. */
  readonly kinds: readonly (HttpKind | undefined)[];
  readonly chance: Chance;
  readonly logs: StoredLogs;
  readonly verdicts: Verdicts;
  /** What each of a client's windows begins with. */
  readonly windowMessages: number;
  /** Whether listeners may throw. */
  readonly clumsy: boolean;
  /** An ERROR's code, as an application or its connection heard it. */
  code(code: string): void;
}

/** A conversation that an application has open. */
export interface Chat {
  readonly transaction: SimulatedTransaction;
  readonly reading: Reading;
  /** Messages of its own that are being streamed. */
  streaming: number;
  replaying: number;
  /** It is being left: nothing more is asked of it. */
  isLeft: boolean;
}

/** What a client is at, seen from outside; the states that faults are counted in. */
export const appStates = [
  'connecting',
  'handshaking',
  'resuming',
  'idle',
  'reading',
  'streaming',
  'replaying',
  'ended',
] as const;
export type AppState = (typeof appStates)[number];

/** What an outcome is worth: codes that leave open whether the message is stored. */
const unknowing: ReadonlySet<string> = new Set(['unknown_outcome']);

export class App {
  readonly name: string;
  readonly host: Host;
  readonly client: SimulatedClient;
  readonly chats = new Map<string, Chat>();
  /** Everything it ever read, closed conversations included. */
  readonly readings: Reading[] = [];
  readonly sending: Sending;
  /** Requests that wait for an answer. */
  asking = 0;
  /** How often it asked to be moved. */
  moves = 0;
  readonly user: string;
  readonly #parts: AppParts;
  readonly #transports: readonly Transport[];
  #sent = 0;

  constructor(parts: AppParts, name: string, user: string) {
    this.#parts = parts;
    this.name = name;
    this.user = user;
    this.host = new Host(parts.world, name);
    this.sending = new Sending(parts.logs, parts.verdicts);
    let next = 0;
    const { nodes, network, chance, kinds, trace, verdicts } = parts;
    const ordered = chance.happens(0.5) ? nodes : [...nodes].reverse();
    this.#transports = ordered.flatMap((node) => kinds.map((kind) => network.transport(node, this, kind)));
    this.client = parts.parts.client({
      transports: this.#transports,
      clock: this.host.clock,
      ids: () => `${name}-${++next}`,
      random: parts.chance.random,
      logger: () => {},
      windowMessages: parts.windowMessages,
      reconnect: { minDelayMs: 100, maxDelayMs: 4_000 },
    });
    this.client.authenticate(() => ({ user: this.user }));
    this.client.on('state', ({ name, reason }) => {
      trace.note(this.name, name, reason?.message);
      // Nobody else has its token.
      if (name !== 'disconnected' || (reason as { closeCode?: unknown } | undefined)?.closeCode !== 4409) return;
      verdicts.violated('13 one reader, one lease', `${this.name} was superseded by nobody but itself`);
    });
    this.host.after(0, this.connect);
  }

  get line(): Line | undefined {
    return this.#parts.network.lineOf(this);
  }

  get state(): AppState {
    const { line } = this;
    if (line === undefined) return 'connecting';
    if (line.session === undefined) return this.chats.size > 0 ? 'resuming' : 'handshaking';
    const chats = [...this.chats.values()];
    if (chats.some(({ replaying }) => replaying > 0)) return 'replaying';
    if (chats.some(({ streaming }) => streaming > 0)) return 'streaming';
    const isOpen = ({ transaction }: Chat): boolean => transaction.conversation.messages.at(-1)?.status === 'open';
    if (chats.some(isOpen)) return 'reading';
    return chats.length === 0 && this.#sent > 0 ? 'ended' : 'idle';
  }

  heard(envelope: Envelope): void {
    const { code, verdict } = envelope.payload as { readonly code?: unknown; readonly verdict?: unknown };
    if (envelope.type === 'ERROR' || verdict === 'refused') this.#parts.code(String(code));
  }

  readonly connect = (): void => {
    this.client.connect().catch((error: unknown) => this.#told('connect', error));
  };

  /** The next word that is known to be this application's own. */
  token(): string {
    return `${this.name}.${++this.#sent}`;
  }

  start(tool: string, opened: (transaction: string) => void): void {
    this.#ask('start', this.client.startTransaction(tool, { params: { title: tool } }), (transaction) => {
      this.#open(transaction, 0);
      opened(transaction.id);
    });
  }

  /** @param pretend the cursor was made up. */
  join(id: string, cursor?: SimulatedCursor, pretend = false): void {
    const options = cursor === undefined ? {} : { cursor };
    this.#ask('join', this.client.joinTransaction(id, options), (transaction) => {
      const chat = this.#open(transaction, cursor?.position, cursor?.epoch);
      if (pretend) chat.reading.pretend();
    });
  }

  /** @param withinMs how long it is waited for; undefined: until it is settled. */
  move(chance: Chance, withinMs: number | undefined): void {
    this.moves++;
    const patience = new AbortController();
    if (withinMs !== undefined) this.host.after(withinMs, () => patience.abort());
    const { signal } = patience;
    this.#ask('move', this.client.useTransport(chance.pick(this.#transports), { signal }), () => {
      this.#parts.trace.note(this.name, 'moved');
    });
  }

  list(): void {
    this.#ask('list', this.client.listTransactions(), () => {});
  }

  send({ transaction }: Chat, payload: (token: string) => Exclude<JsonValue, null>, signal?: AbortSignal): void {
    const token = this.token();
    this.#follow({ who: this.name, transaction: transaction.id, token }, transaction.send(payload(token), { signal }));
  }

  sendAudio({ transaction }: Chat): void {
    const token = this.token();
    const audio = { bytes: new TextEncoder().encode(`${token} la la`), mime: 'audio/opus', durationMs: 20 };
    this.#follow({ who: this.name, transaction: transaction.id, token }, transaction.sendAudio(audio));
  }

  /** Stops the agent, whoever set it to work. */
  cancel({ transaction }: Chat): void {
    const sent = { who: this.name, transaction: transaction.id, token: undefined };
    this.#followed(sent, transaction.cancel()).catch(() => {});
  }

  /** Stops the newest call, or answers it. */
  answerCall({ transaction }: Chat, word: 'approve' | 'deny' | 'cancel'): void {
    const call = transaction.conversation.calls.at(-1);
    if (call === undefined) return;
    const sent = { who: this.name, transaction: transaction.id, token: undefined };
    const said = word === 'cancel' ? transaction.cancelCall(call.id) : transaction.approve(call.id, word === 'approve');
    this.#followed(sent, said).catch(() => {});
  }

  /** Says something bit by bit, with pauses. */
  async stream(chat: Chat, parts: number, pauseMs: () => number): Promise<void> {
    const { id } = chat.transaction;
    const writer = chat.transaction.stream();
    chat.streaming++;
    try {
      for (let part = 0; part < parts; part++) {
        const token = this.token();
        await this.#followed({ who: this.name, transaction: id, token }, writer.write(`${token};`));
        await new Promise<void>((resolve) => this.host.after(pauseMs(), resolve));
      }
      await this.#followed({ who: this.name, transaction: id, token: undefined }, writer.end());
    } catch (error) {
      this.#told('stream', error);
    }
    chat.streaming--;
  }

  /** Counts a question until it is answered. */
  async asked<T>(what: string, answer: Promise<T>): Promise<T | undefined> {
    this.asking++;
    try {
      return await answer;
    } catch (error) {
      this.#told(what, error);
      return undefined;
    } finally {
      this.asking--;
    }
  }

  leave(chat: Chat): void {
    chat.isLeft = true;
    const sent = { who: this.name, transaction: chat.transaction.id, token: undefined };
    this.#followed(sent, chat.transaction.leave()).catch((error: unknown) => this.#told('leave', error));
  }

  end(chat: Chat): void {
    const sent = { who: this.name, transaction: chat.transaction.id, token: undefined };
    this.#followed(sent, chat.transaction.end()).catch((error: unknown) => this.#told('end', error));
  }

  /** The page is closed: nothing that is still under way will ever be heard of here. */
  die(): { readonly id: string; readonly cursor: SimulatedCursor }[] {
    const cursors = [...this.chats.values()].map(({ transaction, reading }) => {
      reading.leave(transaction.cursor);
      return { id: transaction.id, cursor: transaction.cursor };
    });
    this.host.kill();
    this.#parts.network.callerDied(this);
    this.sending.waiting.clear();
    return cursors;
  }

  #ask<T>(what: string, answer: Promise<T>, done: (answer: T) => void): void {
    this.asking++;
    answer.then(done, (error: unknown) => this.#told(what, error)).finally(() => this.asking--);
  }

  #follow(sent: Sent, outcome: Promise<{ readonly id: string; readonly position?: number }>): void {
    this.sending.waiting.add(sent);
    outcome.then(
      (result) => this.sending.settled(sent, result),
      (error: unknown) => this.#rejected(sent, error),
    );
  }

  /** The same for what names no id when it is done. */
  async #followed(sent: Sent, outcome: Promise<void>): Promise<void> {
    this.sending.waiting.add(sent);
    try {
      await outcome;
      this.sending.forget(sent);
    } catch (error) {
      this.#rejected(sent, error);
      throw error;
    }
  }

  #rejected(sent: Sent, error: unknown): void {
    const code = this.#told('send', error);
    // A part is refused with its START, and that tells nothing of the part itself.
    this.sending.rejected(sent, code, unknowing.has(code));
  }

  /** What an application may be told when something did not come about. Anything else is a fault of the client. */
  #told(what: string, error: unknown): string {
    const { name, code, retry, message } = error as {
      name?: string;
      code?: unknown;
      retry?: boolean;
      message?: string;
    };
    const known = typeof code === 'string' || name === 'AbortError';
    if (!known || (retry === true && /^[A-Z_]+$/.test(String(code)))) {
      this.#parts.verdicts.violated('20 total answers', `${this.name} ${what}: ${name} ${message}`);
    }
    this.#parts.trace.note(this.name, `${what} failed`, String(code ?? name));
    return String(code ?? name);
  }

  #open(transaction: SimulatedTransaction, position: number | undefined, epoch = ''): Chat {
    const open = this.chats.get(transaction.id);
    if (open?.transaction === transaction) return open;
    const { logs, verdicts, trace, chance, clumsy } = this.#parts;
    const reading = new Reading({ logs, verdicts }, this.name, transaction.id, epoch, position);
    const chat: Chat = { transaction, reading, streaming: 0, replaying: 0, isLeft: false };
    this.chats.set(transaction.id, chat);
    this.readings.push(reading);
    transaction.on('entry', (entry) => {
      reading.within(transaction.cursor.epoch);
      reading.entry(entry, transaction.cursor.position);
      trace.note(this.name, 'handed', transaction.id, entry.position, entry.type);
      if (clumsy && chance.happens(0.1)) throw new Error('an application that throws');
    });
    transaction.on('gap', (gap) => {
      reading.within(transaction.cursor.epoch);
      reading.gap(gap);
      trace.note(this.name, 'gap', transaction.id, gap.first, gap.last);
    });
    transaction.on('restart', (restart) => {
      reading.restart(restart.epoch);
      trace.note(this.name, 'restart', transaction.id, restart.epoch);
    });
    transaction.on('closed', (reason) => {
      trace.note(this.name, 'closed', transaction.id, reason?.message);
      if (this.chats.get(transaction.id) === chat) this.chats.delete(transaction.id);
    });
    return chat;
  }
}
