// The entries of a log that can be read, in order, as far as trimming and reading go: where each lies, not what is in it.

import {
  type LogState,
  mayTrim,
  planTrim,
  type Slot,
  type SubjectState,
  type TrimPlan,
  type WindowLimits,
} from '@haip/history-engine';

/** An entry's place: the link that it came with, beside what trimming looks at. */
export interface Placed extends Slot {
  /** Sequence of the link. */
  readonly link: number;
}

/** How many entries of the front are looked at first, when there is something to trim. */
const FEW = 16;

export class Window {
  #slots: Placed[];
  /** Where the first one is: what is dropped is cut off now and then, not one by one. */
  #head = 0;

  constructor(slots: Placed[] = []) {
    this.#slots = slots;
  }

  get length(): number {
    return this.#slots.length - this.#head;
  }

  [Symbol.iterator](): IterableIterator<Placed> {
    return this.#slots.slice(this.#head)[Symbol.iterator]();
  }

  push(slot: Placed): void {
    this.#slots.push(slot);
  }

  /** Takes out what lies below a position. */
  dropBelow(position: number): Placed[] {
    const end = this.#indexOf(position);
    const gone = this.#slots.slice(this.#head, end);
    this.#head = end;
    if (this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return gone;
  }

  /** Takes out the pieces of a stream from position `start` on, without the one at `end`. */
  dropPieces(stream: SubjectState, start: number, end: number): Placed[] {
    const [from, to] = [this.#indexOf(start), this.#indexOf(end)];
    const between = this.#slots.slice(from, to);
    const gone = between.filter((slot) => slot.stream === stream);
    if (gone.length > 0) this.#slots.splice(from, to - from, ...between.filter((slot) => slot.stream !== stream));
    return gone;
  }

  /** The places from one position to another, both included, at most so many of them. */
  between(from: number, to: number, most: number): Placed[] {
    const start = this.#indexOf(from);
    const end = Math.min(this.#indexOf(to + 1), start + most);
    return this.#slots.slice(start, Math.max(start, end));
  }

  /** What is to go from the front now; undefined for nothing. */
  trimOf(log: LogState, limits: WindowLimits, now: number): TrimPlan | undefined {
    if (!mayTrim(log, limits, now)) return undefined;
    for (let count = FEW; ; count *= 4) {
      const front = this.#slots.slice(this.#head, this.#head + count);
      const plan = planTrim(log, limits, now, front, front.length === this.length);
      if (plan !== undefined) return plan;
    }
  }

  /** Index of the first place at a position or above. */
  #indexOf(position: number): number {
    let low = this.#head;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots[middle] as Placed).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
