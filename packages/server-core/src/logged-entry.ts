// An entry and the frames it travels in, each made at most once and shared by all readers: with no bytes or raw bytes
// beside it, with base64 inside, and for MESSAGE_END the short one without its text. Spec: §4, §7.

import { utf8Length } from '@haip/platform';
import {
  type Entry,
  encode,
  type Frame,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  toBase64,
} from '@haip/protocol';

/** A frame of an entry. */
export interface EntryFrame extends Frame {
  /** UTF-8 bytes of the text and the raw bytes, counted when the first reader with a window asks. */
  size: number | undefined;
}

/** What a frame takes of a window. */
export function sizeOf(frame: EntryFrame): number {
  frame.size ??= utf8Length(frame.text) + (frame.bytes?.length ?? 0);
  return frame.size;
}

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
  #whole: EntryFrame | undefined;
  #inText: EntryFrame | undefined;
  #short: EntryFrame | undefined;

  constructor(transaction: string, entry: Entry) {
    this.#transaction = transaction;
    this.entry = entry;
  }

  /** The whole entry; its bytes beside it when the reader's link takes binary frames, else inside as base64. */
  frame(binary: boolean): EntryFrame {
    if (this.entry.bytes !== undefined && !binary) {
      this.#inText ??= this.#make(this.#withBytes(this.entry.bytes), false);
      return this.#inText;
    }
    this.#whole ??= this.#make(this.entry.payload, true);
    return this.#whole;
  }

  /** A MESSAGE_END without its text, for a reader that was sent every part. */
  shortFrame(): EntryFrame {
    this.#short ??= this.#make(this.#withoutText(), false);
    return this.#short;
  }

  #make(payload: JsonValue, raw: boolean): EntryFrame {
    const text = textOf(this.#transaction, this.entry, payload, raw);
    return { text, bytes: raw ? this.entry.bytes : undefined, shared: true, memo: undefined, size: undefined };
  }

  #withBytes(bytes: Uint8Array): JsonValue {
    const payload: JsonObject = isJsonObject(this.entry.payload) ? this.entry.payload : {};
    // Nothing follows the envelope that `bin_mime` could be about.
    const { mime } = this.entry;
    return { ...(mime === undefined ? {} : { mime }), ...payload, data: toBase64(bytes) };
  }

  #withoutText(): JsonValue {
    if (!isJsonObject(this.entry.payload)) return this.entry.payload;
    const { text: _text, ...rest } = this.entry.payload;
    return rest;
  }
}
