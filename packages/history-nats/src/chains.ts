// The chains that were used last, opened when they are first asked for and let go when there are too many. Letting go of one
// forgets what this node knew, nothing else.

import type { Chain } from './chain.ts';
import type { Fold } from './fold.ts';

/** About how many bytes one of the things takes that a fold counts in its weight, and a chain without any. */
const BYTES_A_THING = 250;
const BYTES_A_CHAIN = 2000;
/** One use in so many looks whether there are too many: sizes change slowly. */
const LOOK_EVERY = 64;

export class Chains<Change, F extends Fold<Change>> {
  readonly #open: (id: string) => Chain<Change, F>;
  readonly #mostBytes: number;
  /** The one that was used last comes last. */
  readonly #chains = new Map<string, Chain<Change, F>>();
  #uses = 0;

  constructor(mostBytes: number, open: (id: string) => Chain<Change, F>) {
    this.#mostBytes = mostBytes;
    this.#open = open;
  }

  /** @param id what the chain is of: a transaction, a user. */
  get(id: string): Chain<Change, F> {
    const chain = this.#chains.get(id) ?? this.#open(id);
    this.#chains.delete(id);
    this.#chains.set(id, chain);
    if (++this.#uses % LOOK_EVERY === 0) this.#letGo();
    return chain;
  }

  /** The chain of one that is open here. */
  peek(id: string): Chain<Change, F> | undefined {
    return this.#chains.get(id);
  }

  /** Lets go of one that turned out not to be there. */
  drop(id: string): void {
    if (this.#chains.get(id)?.isIdle) this.#chains.delete(id);
  }

  ids(): string[] {
    return [...this.#chains.keys()];
  }

  /** What was known of them holds no more. */
  reset(): void {
    for (const chain of this.#chains.values()) chain.reset();
  }

  #letGo(): void {
    let bytes = 0;
    for (const chain of this.#chains.values()) bytes += BYTES_A_CHAIN + chain.fold.weight * BYTES_A_THING;
    for (const [id, chain] of this.#chains) {
      if (bytes <= this.#mostBytes) return;
      if (!chain.isIdle) continue;
      bytes -= BYTES_A_CHAIN + chain.fold.weight * BYTES_A_THING;
      this.#chains.delete(id);
    }
  }
}
