// Looks after the transactions one by one, in the order in which they were created, so that those which nobody touches
// shrink and go in the end. Every node does, a little with what it is asked to write; it matters to nobody how fast.

import type { Names } from './names.ts';
import type { Stream } from './stream.ts';
import type { Transactions } from './transactions.ts';

/** Between two transactions at least. */
const PACE_MS = 100;

export class Caretaker {
  readonly #index: Stream;
  readonly #names: Names;
  readonly #transactions: Transactions;
  /** The claim looked at last, in the round. */
  #seq = 0;
  #isLooking = false;
  #nextAt = 0;

  constructor(index: Stream, names: Names, transactions: Transactions) {
    this.#index = index;
    this.#names = names;
    this.#transactions = transactions;
  }

  /** Looks after the next one, if it is time. */
  async next(): Promise<void> {
    if (this.#isLooking || performance.now() < this.#nextAt) return;
    this.#isLooking = true;
    try {
      const claim = await this.#index.next(this.#seq + 1, this.#names.every('reference'));
      this.#seq = claim?.seq ?? 0;
      if (claim !== null) await this.#transactions.care(claim);
    } finally {
      this.#isLooking = false;
      this.#nextAt = performance.now() + PACE_MS;
    }
  }
}
