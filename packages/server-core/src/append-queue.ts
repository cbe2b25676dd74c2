// Appends of one author, one after another. A store may take two that are under way together in either order, and one of
// them alone: so what comes while it has one in hand goes after that, together. Decides nothing, keeps nothing.

import type { Draft, Pending } from '@haip/protocol';
import { SerialQueue } from './serial-queue.ts';

/** So much goes in one step, whatever waits: a store has its own limits for that. */
const MOST_DRAFTS = 500;
const MOST_BYTES = 1024 * 1024;

/** What goes in one step. */
interface Batch {
  readonly drafts: Draft[];
  bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

export class AppendQueue {
  readonly #append: (drafts: readonly Draft[]) => Pending;
  /** Whoever pushed is told what went wrong. */
  readonly #queue = new SerialQueue(() => {});
  /** The last one that waits. */
  #batch: Batch | undefined;

  /** @param append called again when what it gave before is settled */
  constructor(append: (drafts: readonly Draft[]) => Pending) {
    this.#append = append;
  }

  /** Appends drafts in one step, after all that came before. */
  push(drafts: readonly Draft[]): Pending {
    if (!this.#queue.idle) return this.#batchFor(drafts).done.promise;
    const pending = this.#append(drafts);
    if (pending) this.#queue.push(() => pending);
    return pending;
  }

  #batchFor(drafts: readonly Draft[]): Batch {
    const bytes = drafts.reduce((sum, { size }) => sum + size, 0);
    let batch = this.#batch;
    if (!batch || batch.drafts.length + drafts.length > MOST_DRAFTS || batch.bytes + bytes > MOST_BYTES) {
      const next: Batch = { drafts: [], bytes: 0, done: Promise.withResolvers() };
      this.#queue.push(() => this.#begin(next));
      this.#batch = batch = next;
    }
    batch.drafts.push(...drafts);
    batch.bytes += bytes;
    return batch;
  }

  #begin(batch: Batch): Pending {
    if (this.#batch === batch) this.#batch = undefined;
    try {
      const pending = this.#append(batch.drafts);
      batch.done.resolve(pending);
      return pending;
    } catch (error) {
      batch.done.reject(error);
    }
  }
}
