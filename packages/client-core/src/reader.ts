// One transaction's log as this client reads it: judges positions, puts own messages in their place, reduces, and
// hands over. The cursor moves when the listeners have returned, whatever they did. Never writes. Spec: §4.

import {
  type Conversation,
  type ConversationEntry,
  type ConversationMessage,
  emptyConversation,
  interruptOpen,
  type JsonValue,
  judgePosition,
  type Received,
  reduceConversation,
  reduceGap,
} from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { Emitter } from './emitter.ts';
import { channelOf, entryOf } from './entry.ts';
import { refusedVerdict } from './errors.ts';
import { Feed } from './feed.ts';
import { fieldsOf } from './fields.ts';
import type { Draft, Outgoing } from './outbox.ts';
import type { Stay } from './stay.ts';
import type { Cursor, TransactionEvent, TransactionEvents, WaitOptions } from './transaction.ts';

/** Types that can make a message whole. */
const completing: readonly string[] = ['MESSAGE', 'MESSAGE_END', 'AUDIO', 'TRANSACTION_END'];

export class Reader extends Emitter<TransactionEvents> {
  readonly id: string;
  epoch: string | undefined;
  /** The last position taken off the wire. */
  read = 0;
  conversation: Conversation = emptyConversation;
  closed: { readonly reason: Error | undefined } | undefined;
  /** What this client wrote and has not read yet. */
  readonly own = new Map<string, Outgoing>();
  protected readonly core: ClientCore;
  readonly #entries = new Feed<TransactionEvent>(false);
  readonly #messages = new Feed<ConversationMessage>(true);
  /** The last position handed over. */
  #position = 0;
  /** The id of the last JOIN that went past the outbox. */
  #join = '';

  constructor(id: string, core: ClientCore, cursor: Partial<Cursor>) {
    super(core.settings.logger);
    this.id = id;
    this.core = core;
    this.epoch = cursor.epoch;
    this.#moveTo(cursor.position ?? 0);
  }

  get cursor(): Cursor {
    return { epoch: this.epoch ?? '', position: this.#position };
  }

  messages({ signal }: WaitOptions = {}): AsyncIterableIterator<ConversationMessage, undefined> {
    return this.#messages.loop(signal);
  }

  entries({ signal }: WaitOptions = {}): AsyncIterableIterator<TransactionEvent, undefined> {
    return this.#entries.loop(signal);
  }

  #moveTo(position: number): void {
    this.read = position;
    this.#position = position;
    this.conversation = { ...this.conversation, position };
  }

  /**
   * Takes the next stretch of the log off the wire: an entry, the receipt of an own message, whose body is here, or the
   * notice that positions were stepped over. False: it does not begin where reading stopped, or there is no such body.
   */
  take(received: Received, stay?: Stay): boolean {
    const { id, seq, from_seq, type, payload, related_id = '', ts, session } = received.envelope;
    if (this.closed) return true;
    const to = Number(seq);
    const judged = judgePosition(this.read, Number(from_seq ?? seq), to);
    if (judged === 'drop') this.core.stats.duplicates++;
    if (judged !== 'take') return judged === 'drop';
    const isReceipt = type === 'INFO';
    if (isReceipt && fieldsOf(payload).kind === 'position') {
      this.#moveTo(to);
      this.#forgetPassed();
      return true;
    }
    const item = this.own.get(isReceipt ? related_id : id);
    if (item) {
      this.own.delete(item.id);
      item.resolve({ id: item.id, position: to });
      // Sent again, it would end what was joined since.
      if (item.type === 'TRANSACTION_LEAVE') this.core.outbox.remove(item);
    }
    if (!isReceipt)
      this.#hand(entryOf(received, to), item !== undefined || session === this.core.outbox.session?.id, stay);
    else if (item) this.#handOwn(item, to, Number(ts));
    else return false;
    return true;
  }

  /** A JOIN that went past the outbox: it may be stored, and then has a receipt. Only the last one of them is waited for. */
  expectJoin(join: Draft & { readonly id: string }): void {
    const nobody = (): void => {};
    this.own.delete(this.#join);
    this.own.set(join.id, { ...join, number: 0, refusals: 0, resolve: nobody, reject: nobody });
    this.#join = join.id;
  }

  /** Something became of an own message. */
  track(item: Outgoing): void {
    // What was settled waits for its receipt; what left the outbox otherwise will have none.
    if (item.gone && !item.settled) this.own.delete(item.id);
    this.#changed();
  }

  #handOwn({ id, type, payload, bytes, mime }: Outgoing, position: number, ts: number): void {
    const session = this.core.outbox.session?.id ?? '';
    this.#hand({ position, id, session, ts, channel: channelOf(type), type, payload, bytes, mime }, true);
  }

  #hand(entry: ConversationEntry, isOwn: boolean, stay?: Stay): void {
    const { messages } = this.conversation;
    this.read = entry.position;
    this.conversation = reduceConversation(this.conversation, entry);
    this.#entries.push({ kind: 'entry', entry }, stay);
    if (!isOwn && completing.includes(entry.type)) {
      const before = new Set(messages);
      for (const message of this.conversation.messages) {
        if (message.status !== 'open' && !before.has(message)) this.#messages.push(message, stay);
      }
    }
    this.emit('entry', entry);
    this.#position = entry.position;
    this.#forgetPassed();
    this.#changed();
    if (entry.type === 'TRANSACTION_END') {
      this.emit('ended', entry);
      this.close();
    }
  }

  /** The server's word on this client's cursor, asked for or not. False: one that makes no sense. */
  judge(payload: JsonValue): boolean {
    const { verdict, epoch, seq, first, last, code } = fieldsOf(payload);
    if (verdict === 'refused') {
      this.close(refusedVerdict(code));
      return true;
    }
    // Not the JOIN that this answers: if it made somebody a member, its entry is still to come.
    for (const item of this.own.values()) if (item.settled) item.notAbove = Number(last);
    const before = verdict === 'resumed' ? Number(seq) : Number(first) - 1;
    if (!(before >= 0)) return false;
    if (verdict !== 'resumed') {
      this.#jump(epoch, before);
    } else {
      if (this.epoch !== undefined) return epoch === this.epoch && before === this.read;
      this.epoch = epoch;
      this.#moveTo(before);
    }
    this.#forgetPassed();
    return true;
  }

  /** Goes on behind another position than where reading stopped, and says what that costs. */
  #jump(epoch: string | undefined, position: number): void {
    const { read } = this;
    if (epoch && epoch !== this.epoch) {
      this.epoch = epoch;
      this.conversation = emptyConversation;
      this.#messages.forget();
      this.#moveTo(position);
      this.#entries.push({ kind: 'restart', epoch });
      this.emit('restart', { epoch });
    } else if (position !== read) {
      // A cursor above the log's end was never right: what it claimed to have read is what is missing.
      const gap = { first: Math.min(position, read) + 1, last: Math.max(position, read) };
      this.conversation = reduceGap(this.conversation, gap);
      this.#moveTo(position);
      this.#entries.push({ kind: 'gap', gap });
      this.emit('gap', gap);
    }
    this.#changed();
  }

  /** Lets go of own messages whose place was passed without their coming: trimmed, or in another epoch. */
  #forgetPassed(): void {
    for (const { id, notAbove } of this.own.values()) if (Number(notAbove) <= this.read) this.own.delete(id);
  }

  #changed(): void {
    this.emit('change', this.conversation);
  }

  /** Nothing more will come. */
  close(reason?: Error): void {
    if (this.closed) return;
    this.closed = { reason };
    this.own.clear();
    this.conversation = interruptOpen(this.conversation);
    this.#changed();
    this.#entries.end(reason);
    this.#messages.end(reason);
    this.emit('closed', reason);
  }
}
