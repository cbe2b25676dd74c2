// How much waits for the network on all connections of this node together. Looked at when somebody comes, once a second at
// most, so that it costs nothing while all is well. Fault F37.

import type { Clock } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';

/** A connection that tells what the network has not taken. */
export interface Unsent {
  readonly unsentBytes: number;
}

const LOOK_EVERY_MS = 1_000;

export class Pressure {
  readonly #clock: Clock;
  readonly #limits: Pick<ServerLimits, 'maxUnsentBytes'>;
  readonly #live: Iterable<Unsent>;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isHigh = false;

  constructor(clock: Clock, limits: Pick<ServerLimits, 'maxUnsentBytes'>, live: Iterable<Unsent>) {
    this.#clock = clock;
    this.#limits = limits;
    this.#live = live;
  }

  /** Whether there is too much to take anybody in. */
  get isHigh(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return this.#isHigh;
    this.#lookedAt = now;
    let bytes = 0;
    for (const { unsentBytes } of this.#live) bytes += unsentBytes;
    this.#isHigh = bytes > this.#limits.maxUnsentBytes;
    return this.#isHigh;
  }
}
