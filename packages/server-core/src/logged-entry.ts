// An entry and the frames it travels in, each made at most once and shared by all readers: with no bytes or raw bytes
// beside it, with base64 inside, and for MESSAGE_END the short one without its text. Spec: §4, §7.

import {
  type Entry,
  encode,
  type Frame,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  toBase64,
} from '@haip/protocol';

/** An entry as one envelope's text. */
function textOf(transaction: string, entry: Entry, payload: JsonValue, raw: boolean): string {
  return encode({
    id: entry.id,
    transaction,
    session: entry.session,
    seq: String(entry.position),
    ts: String(entry.ts),
    channel: entry.channel,
    type: entry.type,
    payload,
    bin_len: raw ? entry.bytes?.length : undefined,
    bin_mime: raw ? entry.mime : undefined,
    run_id: entry.run_id,
    thread_id: entry.thread_id,
    related_id: entry.related_id,
  });
}

export class LoggedEntry {
  readonly #transaction: string;
  readonly entry: Entry;
  #whole: Frame | undefined;
  #inText: Frame | undefined;
  #short: Frame | undefined;

  constructor(transaction: string, entry: Entry) {
    this.#transaction = transaction;
    this.entry = entry;
  }

  /** The whole entry; its bytes beside it when the reader's link takes binary frames, else inside as base64. */
  frame(binary: boolean): Frame {
    if (this.entry.bytes !== undefined && !binary) {
      this.#inText ??= this.#make(this.#withBytes(this.entry.bytes), false);
      return this.#inText;
    }
    this.#whole ??= this.#make(this.entry.payload, true);
    return this.#whole;
  }

  /** A MESSAGE_END without its text, for a reader that was sent every part. */
  shortFrame(): Frame {
    this.#short ??= this.#make(this.#withoutText(), false);
    return this.#short;
  }

  #make(payload: JsonValue, raw: boolean): Frame {
    const text = textOf(this.#transaction, this.entry, payload, raw);
    return { text, bytes: raw ? this.entry.bytes : undefined, shared: true, memo: undefined };
  }

  #withBytes(bytes: Uint8Array): JsonValue {
    const payload: JsonObject = isJsonObject(this.entry.payload) ? this.entry.payload : {};
    return { ...payload, data: toBase64(bytes) };
  }

  #withoutText(): JsonValue {
    if (!isJsonObject(this.entry.payload)) return this.entry.payload;
    const { text: _text, ...rest } = this.entry.payload;
    return rest;
  }
}
