// What is kept of one log: the entries from some position on. Trims at the front, deletes what compaction names, and
// never looks at more of the window than it takes away. Decides nothing about what may be stored. Spec: §4.

import { type Entry, type HistoryRange, isJsonObject, type StreamExtent } from '@haip/protocol';
import { Fifo } from './fifo.ts';
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

/** A place in the window. */
export interface Slot {
  readonly entry: Entry;
  /** When it came, in ms on the monotonic clock: a jump of the wall clock trims nothing. */
  readonly at: number;
  readonly stream: Stream | undefined;
}

/** What an entry takes in memory besides its own size: its objects and its place. Else tiny parts would be free. */
const OVERHEAD = 200;

function messageIdOf({ payload }: Entry): unknown {
  return isJsonObject(payload) ? payload['message_id'] : undefined;
}

/** Whether an entry is the END that makes a message's START and PARTs superfluous. */
export function isWholeEnd({ type, payload }: Entry): boolean {
  return type === 'MESSAGE_END' && isJsonObject(payload) && typeof payload['text'] === 'string';
}

export class EntryWindow {
  /** The first position that can be read; everything below was trimmed. */
  first = 1;
  last = 0;
  readonly #limits: Limits;
  readonly #slots: Fifo<Slot>;
  #messages = 0;
  #bytes = 0;
  /** When the first slot came, kept here so that a look at an idle window touches nothing else. */
  #oldestAt = Number.POSITIVE_INFINITY;
  /** The last slot that must go together with the first one, once it was looked for. */
  #unitEnd: Slot | undefined;
  /** The open stream at which trimming stopped. */
  #blockedBy: Stream | undefined;

  /** @param slots where to keep what is kept. */
  constructor(limits: Limits, slots = new Fifo<Slot>()) {
    this.#limits = limits;
    this.#slots = slots;
  }

  /** Takes an entry at position `last` + 1. */
  push(entry: Entry, at: number, stream: Stream | undefined): void {
    if (this.#slots.length === 0) this.#oldestAt = at;
    this.#slots.push({ entry, at, stream });
    this.last = entry.position;
    this.#bytes += entry.size + OVERHEAD;
    if (stream === undefined || stream.entries++ === 0) this.#messages++;
  }

  /** Trims what the window no longer holds. */
  trim(now: number): void {
    const { windowSize, windowTimeMs, maxBytes } = this.#limits;
    while (this.#messages > windowSize || this.#bytes > maxBytes || now - this.#oldestAt >= windowTimeMs) {
      const isTooHeavy = this.#bytes > maxBytes && this.#slots.length > 1;
      const isFull = isTooHeavy || this.#messages > windowSize;
      if (!isFull && now - this.#oldestAt < windowTimeMs) return;
      const end = this.#frontUnit();
      if (end === undefined) {
        // Somebody could hold a stream open for ever: memory is bounded all the same.
        if (!isTooHeavy) return;
        this.#dropFront();
      } else {
        if (!isFull && now - end.at < windowTimeMs) return;
        while ((this.#slots.at(0)?.entry.position ?? Number.POSITIVE_INFINITY) <= end.entry.position) this.#dropFront();
      }
    }
  }

  /** Deletes the START and the PARTs of a message whose END has the whole text; nothing when it is otherwise. */
  compact({ messageId, start, end }: StreamExtent): void {
    const endIndex = this.#indexOf(end);
    const endEntry = this.#slots.at(endIndex)?.entry;
    if (
      endEntry === undefined ||
      endEntry.position !== end ||
      !isWholeEnd(endEntry) ||
      messageIdOf(endEntry) !== messageId
    )
      return;
    this.#slots.removeWithin(this.#indexOf(start), endIndex, (slot) => {
      const { entry } = slot;
      if (entry?.type !== 'MESSAGE_START' && entry?.type !== 'MESSAGE_PART') return false;
      if (messageIdOf(entry) !== messageId) return false;
      this.#forget(slot);
      return true;
    });
    this.#oldestAt = this.#slots.at(0)?.at ?? Number.POSITIVE_INFINITY;
  }

  read({ from, to = this.last, maxEntries = 200, maxBytes = 524_288 }: HistoryRange): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let i = this.#indexOf(from); entries.length < maxEntries && bytes < maxBytes; i++) {
      const slot = this.#slots.at(i);
      if (slot === undefined || slot.entry.position > to) break;
      entries.push(slot.entry);
      bytes += slot.entry.size;
    }
    return entries;
  }

  /**
   * The last slot that goes when the first one does. A torn text goes as one, with all that came between. Undefined
   * while an open stream stands in the way.
   */
  #frontUnit(): Slot | undefined {
    if (this.#blockedBy?.state === 'open') return undefined;
    if (this.#unitEnd !== undefined) return this.#unitEnd;
    this.#blockedBy = undefined;
    let end = this.#slots.at(0);
    for (let i = 0, to = end?.entry.position ?? 0; ; i++) {
      const slot = this.#slots.at(i);
      if (slot === undefined || slot.entry.position > to) break;
      end = slot;
      if (slot.stream?.state === 'open') {
        this.#blockedBy = slot.stream;
        return undefined;
      }
      if (slot.stream?.state === 'torn') to = Math.max(to, slot.stream.last);
    }
    this.#unitEnd = end;
    return end;
  }

  #dropFront(): void {
    const slot = this.#slots.shift();
    if (slot === undefined) return;
    this.first = slot.entry.position + 1;
    this.#oldestAt = this.#slots.at(0)?.at ?? Number.POSITIVE_INFINITY;
    this.#unitEnd = undefined;
    this.#blockedBy = undefined;
    this.#forget(slot);
  }

  #forget(slot: Slot): void {
    if (slot === this.#unitEnd) this.#unitEnd = undefined;
    this.#bytes -= slot.entry.size + OVERHEAD;
    if (slot.stream === undefined || --slot.stream.entries === 0) this.#messages--;
  }

  /** Index of the first slot at `position` or above. Readers mostly ask for the end, so it looks there first. */
  #indexOf(position: number): number {
    let high = this.#slots.length;
    if ((this.#slots.at(high - 1)?.entry.position ?? 0) < position) return high;
    let low = (this.#slots.at(high - 2)?.entry.position ?? 0) < position ? high - 1 : 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots.at(middle)?.entry.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
