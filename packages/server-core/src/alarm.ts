// Rings when the wall clock comes to a moment, however far off: a timer holds 24 days at most, and a wall clock may be set
// back meanwhile. Attack A45, fault F39.

import type { Clock, Timer } from '@haip/protocol';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings then, and at no moment it was set to before. */
  set(at: number): void {
    this.cancel();
    const left = Math.max(at - this.#clock.now(), 0);
    this.#timer = this.#clock.timer(Math.min(left, LONGEST_TIMER_MS), () => {
      if (at > this.#clock.now()) this.set(at);
      else this.#ring();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
  }
}
