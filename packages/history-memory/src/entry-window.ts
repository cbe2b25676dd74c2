// What is kept of one log: the entries from some position on. Trims at the front, deletes what compaction names, and
// never looks at more of the window than it takes away. Decides nothing about what may be stored. Spec: §4.

import {
  type Draft,
  type Entry,
  type HistoryRange,
  isJsonObject,
  type JsonValue,
  type StreamExtent,
} from '@haip/protocol';
import { EntryRows } from './entry-rows.ts';
import type { Limits } from './options.ts';

/** A text that is or was written bit by bit. All its entries together count as one message. */
export interface Stream {
  /** `whole`: its END has all the text. `torn`: it ended otherwise, so only all its entries together tell it. */
  state: 'open' | 'whole' | 'torn';
  /** Position of its newest entry. */
  last: number;
  /** How many of its entries are in the window. */
  entries: number;
}

/** What goes together: up to which position, and when the last of it came. */
interface Unit {
  readonly to: number;
  readonly at: number;
}

/** What an entry takes in memory besides its own size: its places and its id. Else tiny parts would be free. */
const OVERHEAD = 200;

function messageIdOf(payload: JsonValue): unknown {
  return isJsonObject(payload) ? payload['message_id'] : undefined;
}

/** Whether an entry is the END that makes a message's START and PARTs superfluous. */
export function isWholeEnd(type: string, payload: JsonValue): boolean {
  return type === 'MESSAGE_END' && isJsonObject(payload) && typeof payload['text'] === 'string';
}

export class EntryWindow {
  /** The first position that can be read; everything below was trimmed. */
  first = 1;
  last = 0;
  readonly #limits: Limits;
  readonly #rows: EntryRows;
  #messages = 0;
  #bytes = 0;
  /** When the first entry came, kept here so that a look at an idle window touches nothing else. */
  #oldestAt = Number.POSITIVE_INFINITY;
  /** What must go together with the first entry, once it was looked for. */
  #unit: Unit | undefined;
  /** The open stream at which trimming stopped. */
  #blockedBy: Stream | undefined;

  /** @param rows where to keep what is kept. */
  constructor(limits: Limits, rows = new EntryRows()) {
    this.#limits = limits;
    this.#rows = rows;
  }

  /** Takes a draft as the entry at `position`, which is `last` + 1. */
  push(draft: Draft, position: number, at: number, stream: Stream | undefined): void {
    if (this.#rows.length === 0) this.#oldestAt = at;
    this.last = position;
    this.#rows.push(draft, position, at, stream);
    this.#bytes += draft.size + OVERHEAD;
    if (stream === undefined || stream.entries++ === 0) this.#messages++;
  }

  /** Trims what the window no longer holds. */
  trim(now: number): void {
    const { windowSize, windowTimeMs, maxBytes } = this.#limits;
    while (this.#messages > windowSize || this.#bytes > maxBytes || now - this.#oldestAt >= windowTimeMs) {
      const isTooHeavy = this.#bytes > maxBytes && this.#rows.length > 1;
      const isFull = isTooHeavy || this.#messages > windowSize;
      if (!isFull && now - this.#oldestAt < windowTimeMs) return;
      const unit = this.#frontUnit();
      if (unit === undefined) {
        // Somebody could hold a stream open for ever: memory is bounded all the same.
        if (!isTooHeavy) return;
        this.#dropFront();
      } else {
        if (!isFull && now - unit.at < windowTimeMs) return;
        while (this.#rows.length > 0 && this.#rows.position(0) <= unit.to) this.#dropFront();
      }
    }
  }

  /** Deletes the START and the PARTs of a message whose END has the whole text; nothing when it is otherwise. */
  compact({ messageId, start, end }: StreamExtent): void {
    const rows = this.#rows;
    const endRow = this.#rowOf(end);
    const isThere = endRow < rows.length && rows.position(endRow) === end;
    if (!isThere || !isWholeEnd(rows.type(endRow), rows.payload(endRow))) return;
    if (messageIdOf(rows.payload(endRow)) !== messageId) return;
    rows.removeWithin(this.#rowOf(start), endRow, (row) => {
      const type = rows.type(row);
      if (type !== 'MESSAGE_START' && type !== 'MESSAGE_PART') return false;
      if (messageIdOf(rows.payload(row)) !== messageId) return false;
      this.#forget(row);
      return true;
    });
    this.#lookAtFront();
  }

  read({ from, to = this.last, maxEntries = 200, maxBytes = 524_288 }: HistoryRange): Entry[] {
    const rows = this.#rows;
    const entries: Entry[] = [];
    let bytes = 0;
    for (let row = this.#rowOf(from); row < rows.length && entries.length < maxEntries && bytes < maxBytes; row++) {
      if (rows.position(row) > to) break;
      entries.push(rows.entry(row));
      bytes += rows.size(row);
    }
    return entries;
  }

  /**
   * What goes when the first entry does. A torn text goes as one, with all that came between. Undefined while an open
   * stream stands in the way.
   */
  #frontUnit(): Unit | undefined {
    if (this.#blockedBy?.state === 'open') return undefined;
    if (this.#unit !== undefined) return this.#unit;
    this.#blockedBy = undefined;
    const rows = this.#rows;
    let to = rows.position(0);
    let last = 0;
    for (let row = 0; row < rows.length && rows.position(row) <= to; row++) {
      last = row;
      const stream = rows.stream(row);
      if (stream?.state === 'open') {
        this.#blockedBy = stream;
        return undefined;
      }
      if (stream?.state === 'torn') to = Math.max(to, stream.last);
    }
    this.#unit = { to: rows.position(last), at: rows.at(last) };
    return this.#unit;
  }

  #dropFront(): void {
    this.first = this.#rows.position(0) + 1;
    this.#forget(0);
    this.#rows.shift();
    this.#unit = undefined;
    this.#blockedBy = undefined;
    this.#lookAtFront();
  }

  #lookAtFront(): void {
    this.#oldestAt = this.#rows.length > 0 ? this.#rows.at(0) : Number.POSITIVE_INFINITY;
  }

  #forget(row: number): void {
    const stream = this.#rows.stream(row);
    if (this.#rows.position(row) === this.#unit?.to) this.#unit = undefined;
    this.#bytes -= this.#rows.size(row) + OVERHEAD;
    if (stream === undefined || --stream.entries === 0) this.#messages--;
  }

  /** The first row at `position` or above. Readers mostly ask for the end, so it looks there first. */
  #rowOf(position: number): number {
    const rows = this.#rows;
    let high = rows.length;
    if (high === 0 || rows.position(high - 1) < position) return high;
    let low = high > 1 && rows.position(high - 2) < position ? high - 1 : 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows.position(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
