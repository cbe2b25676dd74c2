// The time that all stores of a prefix share, in ms: it goes on by the monotonic clocks of those who run, so that no wall
// clock that jumps moves it, and never goes back. Spec: §4; fault F38.

import type { Clock } from '@haip/protocol';

export class StoreTime {
  readonly #clock: Clock;
  readonly #ownWall: boolean;
  #offset: number | undefined;

  /** @param ownWall whether `clock` also says how long no store ran; else Redis does. */
  constructor(clock: Clock, ownWall: boolean) {
    this.#clock = clock;
    this.#ownWall = ownWall;
  }

  /** Whether this store was ever told what time it is. */
  get isKnown(): boolean {
    return this.#offset !== undefined;
  }

  /** Whole ms. 0 before it is known: any other store's time is later. */
  now(): number {
    return this.#offset === undefined ? 0 : Math.floor(this.#offset + this.#clock.monotonic());
  }

  /** The wall clock as the scripts take it: empty for that of Redis. */
  wall(): string {
    return this.#ownWall ? String(this.#clock.now()) : '';
  }

  /** It is this late at least. */
  take(time: number): void {
    const offset = time - this.#clock.monotonic();
    this.#offset = Math.max(this.#offset ?? offset, offset);
  }
}
