// How many protocol errors a connection may still make. Pure: told the time, never asks. Limits: 10 a minute.

const MINUTE_MS = 60_000;

export class ErrorBudget {
  readonly #most: number;
  #since = 0;
  #spent = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one error. False once there were more than allowed within a minute. */
  spend(nowMs: number): boolean {
    if (nowMs - this.#since >= MINUTE_MS) {
      this.#since = nowMs;
      this.#spent = 0;
    }
    this.#spent++;
    return this.#spent <= this.#most;
  }
}
