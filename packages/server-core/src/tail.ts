// The newest stretch of a log, kept so that readers who are up to date share one read and one encoding. A stretch has
// no beginning of its own: what fell off is read from the store again. Bounded by count and by size.

import type { LoggedEntry } from './logged-entry.ts';

const MOST_ENTRIES = 256;
const MOST_BYTES = 1024 * 1024;

export class Tail {
  /** Position before the first one covered. */
  #before: number;
  #last: number;
  #entries: LoggedEntry[] = [];
  #bytes = 0;

  /** @param position the tail begins after it. */
  constructor(position: number) {
    this.#before = position;
    this.#last = position;
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  /** Takes what was read after the last position: `entries`, and everything up to `last` that was not among them. */
  extend(entries: readonly LoggedEntry[], last: number): void {
    for (const logged of entries) {
      this.#entries.push(logged);
      this.#bytes += weight(logged);
    }
    this.#last = last;
    if (this.#entries.length > 2 * MOST_ENTRIES || this.#bytes > 2 * MOST_BYTES) this.#shorten();
  }

  /** Everything after `position`, or undefined when the tail does not reach back that far. */
  after(position: number): readonly LoggedEntry[] | undefined {
    if (position < this.#before) return undefined;
    if (position >= this.#last) return [];
    let at = this.#entries.length;
    while (at > 0 && (this.#entries[at - 1] as LoggedEntry).entry.position > position) at--;
    return at === 0 ? this.#entries : this.#entries.slice(at);
  }

  /** Forgets all: nobody is up to date any more. */
  clear(): void {
    this.#before = this.#last;
    this.#entries = [];
    this.#bytes = 0;
  }

  /** Cuts to half, so that the cost of a cut is spread over as many entries as it drops. */
  #shorten(): void {
    let keep = this.#entries.length;
    let bytes = 0;
    while (keep > 0 && this.#entries.length - keep < MOST_ENTRIES && bytes < MOST_BYTES) {
      keep--;
      bytes += weight(this.#entries[keep] as LoggedEntry);
    }
    this.#before = (this.#entries[keep] as LoggedEntry).entry.position - 1;
    this.#entries = this.#entries.slice(keep);
    this.#bytes = bytes;
  }
}

/** Twice the size, since the entry and its frame are both kept. */
function weight({ entry }: LoggedEntry): number {
  return 2 * entry.size;
}
