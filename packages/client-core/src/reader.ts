// One transaction's log as this client reads it: judges positions, puts own messages in their place, reduces, and
// hands over. The cursor moves when the listeners have returned, whatever they did. Never writes. Spec: §4.

import {
  type Conversation,
  type ConversationEntry,
  type ConversationMessage,
  type Envelope,
  emptyConversation,
  interruptOpen,
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
import { letGo, type Outgoing, remove } from './outbox.ts';
import type { Stay } from './stay.ts';
import type { Cursor, TransactionEvent, TransactionEvents, WaitOptions } from './transaction.ts';

/** Fields that the constructor sets are declared only: a page loads no line that names them first. */
export class Reader extends Emitter<TransactionEvents> {
  declare readonly id: string;
  declare epoch: string | undefined;
  /** The last position taken off the wire. */
  read = 0;
  conversation: Conversation = emptyConversation;
  declare closed: { readonly reason: Error | undefined } | undefined;
  declare protected readonly core: ClientCore;
  readonly #entries = new Feed<TransactionEvent>(false);
  readonly #messages = new Feed<ConversationMessage>(true);
  /** The last position handed over. */
  #position = 0;
  /** Own messages that were settled when the server last named the end of the log: they are up to there, or gone. */
  #settled: Outgoing[] = [];
  #end = 0;

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

  /** What this client sent in it and that has no place yet, and what it has still to hear of. */
  protected get own(): Outgoing[] {
    return [...this.core.items.values()].filter(({ transaction }) => transaction === this.id);
  }

  #moveTo(position: number): void {
    this.read = position;
    this.#position = position;
    this.conversation = { ...this.conversation, position };
    this.#forgetPassed();
  }

  /**
   * Takes the next stretch of the log off the wire: an entry, the receipt of an own message, whose body is here, or the
   * notice that positions were stepped over. False: it does not begin where reading stopped, or there is no such body.
   */
  take({ envelope, bytes }: Omit<Received, 'size'>, stay: Stay): boolean {
    const { id, seq, from_seq = seq, type, payload, related_id, ts, session } = envelope;
    const { items, stats, session: { id: own } = {} } = this.core;
    const to = Number(seq);
    const judged = judgePosition(this.read, Number(from_seq), to);
    if (judged === 'drop') stats.duplicates++;
    if (judged !== 'take') return judged === 'drop';
    const isNotice = type === 'INFO';
    const item = items.get(isNotice ? related_id : id);
    if (item) {
      item.isRead = true;
      item.resolve({ id: item.id, position: to });
      // A LEAVE that were sent again would end what was joined since.
      if (item.isSettled || item.type === 'TRANSACTION_LEAVE') remove(this.core, item);
    }
    if (!isNotice) {
      this.#hand(entryOf({ envelope, bytes }, to), item !== undefined || session === own, stay);
    } else if (item) {
      const { mime, ...body } = item;
      const written = { ...body, session: own ?? '', seq, ts, channel: channelOf(item.type), bin_mime: mime };
      this.#hand(entryOf({ envelope: written, bytes: item.bytes }, to), true);
    } else {
      if (fieldsOf(payload).kind !== 'position') return false;
      this.#moveTo(to);
    }
    return true;
  }

  #hand(entry: ConversationEntry, isOwn: boolean, stay?: Stay): void {
    const { position, type } = entry;
    const before = new Set(this.conversation.messages);
    this.read = position;
    this.conversation = reduceConversation(this.conversation, entry);
    this.#entries.push({ kind: 'entry', entry }, stay);
    // Of these types an entry can make a message whole.
    if (!isOwn && /_END$|^(MESSAGE|AUDIO)$/.test(type)) {
      for (const message of this.conversation.messages) {
        if (message.status !== 'open' && !before.has(message)) this.#messages.push(message, stay);
      }
    }
    this.emit('entry', entry);
    this.#position = position;
    this.#forgetPassed();
    this.changed();
    if (type === 'TRANSACTION_END') {
      this.emit('ended', entry);
      this.close();
    }
  }

  /** The server's word on this client's cursor, asked for or not. False: one that makes no sense. */
  judge({ payload, related_id }: Envelope): boolean {
    const { verdict, epoch, seq, first, last, code } = fieldsOf(payload);
    if (verdict === 'refused') {
      this.close(refusedVerdict(code));
      return true;
    }
    // Not the JOIN that this answers: if it made somebody a member, its entry is still to come.
    this.#settled = this.own.filter(({ id, isSettled }) => isSettled && id !== related_id);
    this.#end = Number(last);
    const before = verdict === 'resumed' ? Number(seq) : Number(first) - 1;
    if (!(before >= 0)) return false;
    if (verdict !== 'resumed') {
      this.#jump(epoch, before);
    } else {
      if (this.epoch !== undefined) return epoch === this.epoch && before === this.read;
      this.epoch = epoch;
      this.#moveTo(before);
    }
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
    this.changed();
  }

  /** Lets go of own messages whose place was passed without their coming: trimmed, or in another epoch. */
  #forgetPassed(): void {
    if (this.read >= this.#end) for (const item of this.#settled.splice(0)) remove(this.core, item);
  }

  /** The conversation, or what is pending, is another. */
  changed(): void {
    this.emit('change', this.conversation);
  }

  /** Nothing more will come. */
  close(reason?: Error): void {
    if (this.closed) return;
    this.closed = { reason };
    this.core.transactions.delete(this.id);
    letGo(this.core, this.own, reason, this.conversation.ended);
    this.conversation = interruptOpen(this.conversation);
    this.changed();
    this.#entries.end(reason);
    this.#messages.end(reason);
    this.emit('closed', reason);
  }
}
