// What a plain v1 client is given: whole messages as strings and audio; never its own entries, never a stream's parts.
// A streamed text comes as one MESSAGE when it ends. Spec: §2, plain v1 peers.

import { encode, isJsonObject } from '@haip/protocol';
import type { Delivery, Standing } from './delivery.ts';
import type { LoggedEntry } from './logged-entry.ts';

/** A stream that was begun and not ended, as far as the reader got. */
interface OpenText {
  readonly begin: LoggedEntry;
  text: string;
}

export class PlainDelivery implements Delivery {
  readonly notices = false;
  readonly mergesParts = false;
  readonly #transaction: string;
  readonly #session: string;
  readonly #binary: boolean;
  readonly #open = new Map<string, OpenText>();

  constructor(transaction: string, session: string, binary: boolean) {
    this.#transaction = transaction;
    this.#session = session;
    this.#binary = binary;
  }

  /** Such a peer has no windows. */
  needsWindow(): boolean {
    return false;
  }

  deliver(logged: LoggedEntry, own: boolean, reader: Standing): boolean {
    const { entry } = logged;
    // What it cuts off is somebody's, whoever ends it.
    if (entry.type === 'TRANSACTION_END') this.#cutOff(logged, reader);
    if (own || entry.session === this.#session) return true;
    const payload = isJsonObject(entry.payload) ? entry.payload : {};
    const messageId = String(payload['message_id']);
    const text = typeof payload['text'] === 'string' ? payload['text'] : undefined;
    switch (entry.type) {
      case 'MESSAGE':
      case 'AUDIO':
      case 'TRANSACTION_END':
        reader.give(logged.frame(this.#binary));
        break;
      case 'MESSAGE_START':
        this.#open.set(messageId, { begin: logged, text: text ?? '' });
        break;
      case 'MESSAGE_PART': {
        const open = this.#open.get(messageId);
        if (open) open.text += text ?? '';
        break;
      }
      case 'MESSAGE_END': {
        const whole = text ?? this.#open.get(messageId)?.text ?? '';
        this.#open.delete(messageId);
        this.#sendText(logged, messageId, whole, reader);
        break;
      }
    }
    return true;
  }

  #cutOff(end: LoggedEntry, reader: Standing): void {
    for (const [id, { begin, text }] of this.#open) this.#sendText(end, id, text, reader, begin);
    this.#open.clear();
  }

  /** @param by whose text it is, where the entry at its place is somebody else's */
  #sendText(at: LoggedEntry, id: string, text: string, reader: Standing, by = at): void {
    if (text === '') return;
    const { position, ts } = at.entry;
    const { session, channel } = by.entry;
    const message = encode({
      id,
      transaction: this.#transaction,
      session,
      seq: String(position),
      ts: String(ts),
      channel,
      type: 'MESSAGE',
      payload: text,
    });
    reader.give({ text: message, bytes: undefined, shared: false, memo: undefined, size: undefined });
  }
}
