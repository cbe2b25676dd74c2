// Chance that a seed decides: one stream for each concern, so that what one of them draws changes no other.

import type { Random } from '@haip/protocol';

/** splitmix32: spreads a seed over all bits. */
function spread(state: number): number {
  let z = (state + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A stream of random numbers: sfc32, by Chris Doty-Humphrey. */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param name of the stream; two names of one seed have nothing in common. */
  constructor(seed: number, name: string) {
    let state = spread(seed);
    for (let i = 0; i < name.length; i++) state = spread(state ^ name.charCodeAt(i));
    this.#a = spread(state);
    this.#b = spread(state + 1);
    this.#c = spread(state + 2);
    for (let i = 0; i < 12; i++) this.next();
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }

  readonly random: Random = () => this.next();

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  happens(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }
}
