/** A timer that can be stopped; stopping one that fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time, given from outside. */
export interface Clock {
  /** The wall clock in ms since epoch. For people; it jumps. */
  now(): number;
  /** Milliseconds since some moment; never goes back. For durations. */
  monotonic(): number;
  /**
   * Calls `fire` once after `delayMs`.
   * @throws RangeError for a delay that is not within 0 … 2^31−1: the platform would fire at once instead of late.
   */
  timer(delayMs: number, fire: () => void): Timer;
}
