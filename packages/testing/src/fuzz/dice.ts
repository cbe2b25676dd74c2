// Chance by seed: the same seed gives the same throws, on every machine. Never asks the platform for randomness.

export interface Dice {
  /** A whole number from 0 to `count` − 1. */
  below(count: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** True once in `times`, on average. */
  once(times: number): boolean;
}

/** Mulberry32: 32 bits of state, enough to choose mutations by. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    once: (times) => below(times) === 0,
  };
}
