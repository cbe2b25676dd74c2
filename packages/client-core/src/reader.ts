// One transaction's log as this client reads it: judges positions, puts own messages in their place, reduces, and
// hands over. The cursor moves when the listeners have returned, whatever they did. Never writes. Spec: §4.

import {
  type Conversation,
  type ConversationEntry,
  type Envelope,
  emptyConversation,
  type JsonValue,
  judgePosition,
  type Logger,
  type Received,
  readDecimal,
  reduceConversation,
  reduceGap,
} from '@haip/protocol';
import { Emitter } from './emitter.ts';
import { entryOf, ownEntry } from './entry.ts';
import { ClosedError, RefusedError } from './errors.ts';
import { Loops } from './loops.ts';
import type { Outgoing } from './outgoing.ts';
import { textField } from './text-field.ts';
import type { Cursor, TransactionEvents } from './transaction-events.ts';

/** What a client counts, for people. */
export interface ClientStats {
  /** Frames dropped because their positions had been taken. */
  duplicates: number;
  /** Connections this client ended because the server broke the position rule. */
  faults: number;
  /** Connections that got as far as the server's HAI. */
  connections: number;
}

export class Reader {
  readonly transaction: string;
  epoch: string | undefined;
  /** The last position taken off the wire. */
  read = 0;
  /** The last position handed over. */
  position = 0;
  conversation: Conversation = emptyConversation;
  /** Set when the server keeps no log: positions are counted here, own messages stamped with that session. */
  plain: { readonly session: string } | undefined;
  /** Why nothing more comes; undefined while something may. */
  closed: { readonly reason: Error | undefined } | undefined;
  /** The answer to a replay is being gathered here. */
  page: ConversationEntry[] | undefined;
  /** How many replays are underway: what comes must find this reader, though its transaction may be closed. */
  replays = 0;
  /** What this client wrote and has not read yet. */
  readonly own = new Map<string, Outgoing>();
  readonly events: Emitter<TransactionEvents>;
  readonly loops = new Loops();
  readonly #stats: ClientStats;
  /** Own messages that were settled when the server named its last position: none of them is above it. */
  #settledBefore: { readonly last: number; readonly items: readonly Outgoing[] } | undefined;

  constructor(transaction: string, logger: Logger, stats: ClientStats, cursor?: Cursor) {
    this.transaction = transaction;
    this.#stats = stats;
    this.events = new Emitter(logger);
    this.epoch = cursor?.epoch;
    this.#moveTo(cursor?.position ?? 0);
  }

  #moveTo(position: number): void {
    this.read = position;
    this.position = position;
    this.conversation = { ...this.conversation, position };
  }

  /** Takes an entry off the wire. False: a hole or an overlap. */
  take(received: Received, session: string): boolean {
    const { envelope } = received;
    const to = readDecimal(envelope.seq);
    if (this.page !== undefined && (to <= this.read || this.closed !== undefined)) {
      this.page.push(entryOf(received, to));
      return true;
    }
    return this.#advance(envelope, to, () => {
      const isOwn = this.#place(envelope.id, to) !== undefined;
      this.#hand(entryOf(received, to), isOwn || envelope.session === session);
    });
  }

  /** Takes a receipt: the client's own message, whose body it has, comes here in the log. False: a hole, or no body. */
  takeReceipt(envelope: Envelope, session: string): boolean {
    const to = readDecimal(envelope.seq);
    const item = this.own.get(envelope.related_id ?? '');
    if (item === undefined && to > this.read) return false;
    return this.#advance(envelope, to, () => {
      if (item === undefined) return;
      this.#place(item.draft.id, to);
      this.#hand(ownEntry(item, to, Number(envelope.ts), session), true);
    });
  }

  /** Takes a notice that positions were stepped over. */
  takeNotice(envelope: Envelope): boolean {
    const to = readDecimal(envelope.seq);
    return this.#advance(envelope, to, () => {
      this.#moveTo(to);
      this.#forgetSettled();
    });
  }

  #advance(envelope: Envelope, to: number, take: () => void): boolean {
    const from = envelope.from_seq === undefined ? to : readDecimal(envelope.from_seq);
    const judged = judgePosition(this.read, from, to);
    if (judged === 'drop') this.#stats.duplicates++;
    if (judged !== 'take' || this.closed !== undefined) return judged !== 'fault';
    this.read = to;
    take();
    return true;
  }

  /** An own message has its place. */
  #place(id: string, position: number): Outgoing | undefined {
    const item = this.own.get(id);
    this.own.delete(id);
    item?.resolve(position);
    return item;
  }

  /** Without a log: an own message takes the next place as soon as it is written. */
  placePlain(item: Outgoing): void {
    this.own.delete(item.draft.id);
    this.read++;
    this.#hand(ownEntry(item, this.read, item.firstWritten?.now ?? 0, this.plain?.session ?? ''), true);
  }

  /** Without a log: what comes takes the next place. An echo under an own id is another message. */
  takePlain(received: Received): void {
    const entry = entryOf(received, ++this.read);
    const isEcho = this.conversation.messages.some(({ id }) => id === entry.id);
    this.#hand(isEcho ? { ...entry, id: `${entry.id}:echo` } : entry, false);
  }

  #hand(entry: ConversationEntry, isOwn: boolean): void {
    const before = this.conversation;
    this.conversation = reduceConversation(before, entry);
    this.loops.pushEvent({ kind: 'entry', entry });
    if (!isOwn) this.loops.pushMessages(before, this.conversation, entry);
    this.events.emit('entry', entry);
    this.position = entry.position;
    this.#forgetSettled();
    this.changed();
    if (entry.type === 'TRANSACTION_END') {
      this.events.emit('ended', entry);
      this.close();
    }
  }

  /** The server's word on this client's cursor, asked for or not. False: one that makes no sense. */
  judge(payload: JsonValue): boolean {
    const verdict = textField(payload, 'verdict');
    const epoch = textField(payload, 'epoch');
    if (verdict === 'refused') {
      this.close(new RefusedError(textField(payload, 'code') ?? 'RESUME_FAILED'));
      return true;
    }
    const last = Number(textField(payload, 'last'));
    // Not the JOIN that this answers: if it made somebody a member, its entry is still to come.
    const items = [...this.own.values()].filter(({ settled, draft }) => settled && draft.answered === undefined);
    this.#settledBefore = { last, items };
    if (verdict === 'resumed') {
      const seq = Number(textField(payload, 'seq'));
      if (!(seq >= 0)) return false;
      if (this.epoch !== undefined) return epoch === this.epoch && seq === this.read;
      this.epoch = epoch;
      this.#moveTo(seq);
    } else {
      const first = Number(textField(payload, 'first'));
      if (!(first >= 1)) return false;
      this.#jump(epoch, first);
    }
    this.#forgetSettled();
    return true;
  }

  #jump(epoch: string | undefined, first: number): void {
    const { read } = this;
    if (epoch !== undefined && epoch !== this.epoch) {
      this.epoch = epoch;
      this.conversation = emptyConversation;
      this.loops.forget();
      this.#moveTo(first - 1);
      this.loops.pushEvent({ kind: 'restart', epoch });
      this.events.emit('restart', { epoch });
    } else if (first !== read + 1) {
      // A cursor above the log's end was never right: what it claimed to have read is what is missing.
      const gap = { first: Math.min(read + 1, first), last: Math.max(first - 1, read) };
      this.conversation = reduceGap(this.conversation, gap);
      this.#moveTo(first - 1);
      this.loops.pushEvent({ kind: 'gap', gap });
      this.events.emit('gap', gap);
    }
    this.changed();
  }

  /** Lets go of own messages whose place was passed without their coming: trimmed, or in another epoch. */
  #forgetSettled(): void {
    const settled = this.#settledBefore;
    if (settled === undefined || this.read < settled.last) return;
    this.#settledBefore = undefined;
    for (const { draft } of settled.items) this.own.delete(draft.id);
  }

  changed(): void {
    this.events.emit('change', this.conversation);
  }

  /** Nothing more will come. */
  close(reason?: Error): void {
    if (this.closed !== undefined) return;
    this.closed = { reason };
    this.own.clear();
    this.loops.end(reason);
    this.events.emit('closed', reason);
  }

  /** The error of whoever still wants something of a closed transaction. */
  closedError(): ClosedError {
    return new ClosedError(`Transaction ${this.transaction}`, this.closed?.reason);
  }
}
