// Takes the POSTs of one link: one at a time, line by line, in the order of their numbers. A body that came before is
// taken again without harm, as the core ignores numbers it has; one that came too early is refused. Spec: §3, §7.

import { type CodecLimits, Fault, type Incoming, readDecimal } from '@haip/protocol';
import { readLine } from './posted-lines.ts';
import type { ServerLink } from './server-link.ts';

/** What a POST is answered. */
export interface PostAnswer {
  readonly status: number;
  /** How many of its lines need not come again, not counting one that was refused. */
  readonly taken?: number;
  readonly expected?: string;
}

const mostWaiting = 4;

export class Posts {
  readonly #link: ServerLink;
  readonly #limits: CodecLimits;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** The number that comes next; Infinity for a peer that does not count. */
  #next = 1;
  #hasBegun = false;

  constructor(link: ServerLink, limits: CodecLimits) {
    this.#link = link;
    this.#limits = limits;
  }

  /** Takes the lines of one POST when those before it are answered. Rejects never. */
  take(lines: readonly Uint8Array[]): Promise<PostAnswer> {
    if (this.#waiting >= mostWaiting) return Promise.resolve({ status: 429, expected: 'one POST at a time' });
    this.#waiting++;
    const answer = this.#last.then(() => this.#takeNow(lines));
    this.#last = answer;
    return answer;
  }

  async #takeNow(lines: readonly Uint8Array[]): Promise<PostAnswer> {
    await this.#link.inbox.room();
    this.#waiting--;
    const isFirst = !this.#hasBegun;
    const answer = this.#put(lines);
    if (!isFirst || !this.#hasBegun || answer.status !== 202) return answer;
    const verdict = await this.#link.verdict;
    return verdict === 200 ? answer : { status: verdict };
  }

  #put(lines: readonly Uint8Array[]): PostAnswer {
    let taken = 0;
    for (const line of lines) {
      if (this.#link.hasEnded) return taken > 0 ? { status: 202, taken } : { status: 404 };
      const read = readLine(line, this.#limits);
      if ('end' in read) {
        this.#link.leave(read.end);
        return { status: 202, taken: taken + 1 };
      }
      if (taken === 0 && this.#isEarly(read)) return { status: 409, expected: String(this.#next) };
      this.#link.inbox.put(read, line.length);
      if (read instanceof Fault && read.seq === undefined) {
        return { status: read.close === 1009 ? 413 : 400, taken, expected: read.expected ?? 'an envelope' };
      }
      this.#count(read);
      this.#hasBegun = true;
      taken++;
    }
    return { status: 202, taken };
  }

  #isEarly(read: Incoming): boolean {
    if (!this.#hasBegun && !(read instanceof Fault) && read.envelope.type === 'HAI') return false;
    return numberOf(read) > this.#next;
  }

  /** A peer that counts begins at 1. */
  #count(read: Incoming): void {
    const number = numberOf(read);
    if (number === this.#next) this.#next++;
    else if (!this.#hasBegun) this.#next = Number.POSITIVE_INFINITY;
  }
}

/** 0 where it can not be read: never too early. */
function numberOf(read: Incoming): number {
  return readDecimal((read instanceof Fault ? read.seq : read.envelope.seq) ?? '0');
}
