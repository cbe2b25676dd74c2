// So much at a time and so much in a while. Pure: told the time, never asks, so that many takes may share one look at
// the clock. Whatever is there lets any amount through, which may leave less than nothing: else the largest would never
// pass.

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#at = nowMs;
  }

  refill(nowMs: number): void {
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#at) / 1000) * this.#perSecond);
    this.#at = nowMs;
  }

  /** Takes, unless there is nothing left. */
  take(amount: number): boolean {
    if (this.#left <= 0) return false;
    this.#left -= amount;
    return true;
  }

  /** Takes what was spent already. */
  owe(amount: number): void {
    this.#left -= amount;
  }

  get isEmpty(): boolean {
    return this.#left <= 0;
  }

  get isFull(): boolean {
    return this.#left >= this.#burst;
  }

  /** How long until there is one again. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(((1 - this.#left) / this.#perSecond) * 1000));
  }
}
