// Closes connections one by one, so that their clients do not come to another node as a herd. Spec: §6.5.

import type { Clock, Timer } from '@haip/protocol';

/** Ten clients a second are no herd, however few there are to move. */
const LONGEST_STEP_MS = 100;
const SHORTEST_STEP_MS = 10;

export class Moving<Session> {
  readonly #clock: Clock;
  readonly #sessions: readonly Session[];
  readonly #stepMs: number;
  readonly #since: number;
  readonly #close: (session: Session) => void;
  #moved = 0;
  #timer: Timer | undefined;

  /** Begins at once with the first; the last is closed within `spreadMs`. */
  constructor(clock: Clock, sessions: readonly Session[], spreadMs: number, close: (session: Session) => void) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#stepMs = Math.min(LONGEST_STEP_MS, spreadMs / sessions.length);
    this.#since = clock.monotonic();
    this.#close = close;
    this.#move();
  }

  /** Closes those that are left. */
  finish(): void {
    this.stop();
    this.#closeUpTo(this.#sessions.length);
  }

  /** Lets those that are left alone. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** As many as are due by now, and the others later. */
  #move(): void {
    const { length } = this.#sessions;
    const due = this.#stepMs > 0 ? Math.floor((this.#clock.monotonic() - this.#since) / this.#stepMs) + 1 : length;
    this.#closeUpTo(Math.min(due, length));
    if (this.#moved === length) return;
    this.#timer = this.#clock.timer(Math.max(SHORTEST_STEP_MS, this.#stepMs), () => this.#move());
  }

  #closeUpTo(count: number): void {
    while (this.#moved < count) this.#close(this.#sessions[this.#moved++] as Session);
  }
}
