// Where a window keeps its entries: one flat array, so many places in a row for each. An entry is an object only while
// somebody reads it. What lies in the window for long would be copied twice by each collection of garbage that it lives
// through, object by object. Measured (100 streams, a token each a turn): entries as objects cost the collector 4 µs a
// token of 17; so they cost a third of that.

import type { Draft, Entry, JsonValue } from '@haip/protocol';
import type { Stream } from './entry-window.ts';

/** What entries that follow each other mostly share, kept once for all of them. */
type Voice = Pick<Entry, 'user' | 'session' | 'channel' | 'type' | 'mime' | 'run_id' | 'thread_id'>;

const POSITION = 0;
const AT = 1;
const SIZE = 2;
const STREAM = 3;
const TS = 4;
const ID = 5;
const PAYLOAD = 6;
const BYTES = 7;
const ANSWERS = 8;
const VOICE = 9;
const WIDTH = 10;

export class EntryRows {
  readonly #cells: unknown[];
  /** The first place in use. */
  #head = 0;
  /** Times are kept as what they are beyond the first one: small integers take no memory of their own. */
  #baseTs: number | undefined;
  #voice: Voice | undefined;
  #otherVoice: Voice | undefined;

  /** @param cells the array to keep them in. A test passes one that counts. */
  constructor(cells: unknown[] = []) {
    this.#cells = cells;
  }

  get length(): number {
    return (this.#cells.length - this.#head) / WIDTH;
  }

  position(row: number): number {
    return this.#cells[this.#head + row * WIDTH + POSITION] as number;
  }

  /** When it came, in ms on the monotonic clock: a jump of the wall clock trims nothing. */
  at(row: number): number {
    return this.#cells[this.#head + row * WIDTH + AT] as number;
  }

  size(row: number): number {
    return this.#cells[this.#head + row * WIDTH + SIZE] as number;
  }

  stream(row: number): Stream | undefined {
    return this.#cells[this.#head + row * WIDTH + STREAM] as Stream | undefined;
  }

  type(row: number): string {
    return this.#voiceOf(this.#head + row * WIDTH).type;
  }

  payload(row: number): JsonValue {
    return this.#cells[this.#head + row * WIDTH + PAYLOAD] as JsonValue;
  }

  entry(row: number): Entry {
    const cells = this.#cells;
    const first = this.#head + row * WIDTH;
    const { user, session, channel, type, mime, run_id, thread_id } = this.#voiceOf(first);
    return {
      position: cells[first + POSITION] as number,
      id: cells[first + ID] as string,
      user,
      session,
      ts: (this.#baseTs as number) + (cells[first + TS] as number),
      channel,
      type,
      payload: cells[first + PAYLOAD] as JsonValue,
      bytes: cells[first + BYTES] as Uint8Array | undefined,
      mime,
      size: cells[first + SIZE] as number,
      run_id,
      thread_id,
      related_id: cells[first + ANSWERS] as string | undefined,
    };
  }

  push(draft: Draft, position: number, at: number, stream: Stream | undefined): void {
    this.#baseTs ??= draft.ts;
    const { id, size, payload, bytes, related_id } = draft;
    const voice = this.#voiceFor(draft);
    this.#cells.push(position, at, size, stream, draft.ts - this.#baseTs, id, payload, bytes, related_id, voice);
  }

  /** Drops the first one. Room that this leaves is given back in strides, so that each is moved at most once on average. */
  shift(): void {
    const end = this.#head + WIDTH;
    this.#cells.fill(undefined, this.#head, end);
    this.#head = end;
    if (this.#head * 2 <= this.#cells.length) return;
    this.#cells.splice(0, this.#head);
    this.#head = 0;
  }

  /** Takes out what `drop` says among the rows `from` … `to` − 1, and closes ranks. */
  removeWithin(from: number, to: number, drop: (row: number) => boolean): void {
    const cells = this.#cells;
    let write = this.#head + from * WIDTH;
    for (let row = from; row < to; row++) {
      if (drop(row)) continue;
      const read = this.#head + row * WIDTH;
      if (write !== read) cells.copyWithin(write, read, read + WIDTH);
      write += WIDTH;
    }
    const rest = this.#head + to * WIDTH;
    if (write !== rest) {
      cells.copyWithin(write, rest);
      cells.length -= rest - write;
    }
  }

  #voiceOf(first: number): Voice {
    return this.#cells[first + VOICE] as Voice;
  }

  /** People and agents take turns, so two voices are at hand. */
  #voiceFor(draft: Draft): Voice {
    if (this.#voice !== undefined && speaks(this.#voice, draft)) return this.#voice;
    const before = this.#voice;
    this.#voice = this.#otherVoice !== undefined && speaks(this.#otherVoice, draft) ? this.#otherVoice : voiceOf(draft);
    this.#otherVoice = before;
    return this.#voice;
  }
}

function voiceOf({ user, session, channel, type, mime, run_id, thread_id }: Draft): Voice {
  return { user, session, channel, type, mime, run_id, thread_id };
}

function speaks(voice: Voice, draft: Draft): boolean {
  return (
    voice.type === draft.type &&
    voice.run_id === draft.run_id &&
    voice.session === draft.session &&
    voice.user === draft.user &&
    voice.channel === draft.channel &&
    voice.mime === draft.mime &&
    voice.thread_id === draft.thread_id
  );
}
