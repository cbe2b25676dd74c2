// Up to which of its own numbers a connection's messages are settled: stored, acted on, or answered. Numbers are
// taken in order but may settle out of order, one transaction's store being slower than another's. Spec: §3, ack.

export class Settlement {
  #taken = 0;
  #settled = 0;
  /** Numbers settled before one below them was. Stays empty while everything is done at once. */
  #early: Set<number> | undefined;
  #told = 0;

  /** The last number taken. */
  get taken(): number {
    return this.#taken;
  }

  take(number: number): void {
    this.#taken = number;
  }

  settle(number: number): void {
    if (number !== this.#settled + 1) {
      if (number <= this.#settled) return;
      this.#early ??= new Set();
      this.#early.add(number);
      return;
    }
    this.#settled = number;
    while (this.#early?.delete(this.#settled + 1)) this.#settled++;
  }

  /** Everything up to here is settled. */
  get settled(): number {
    return this.#settled;
  }

  get hasNews(): boolean {
    return this.#settled !== this.#told;
  }

  /** What to tell the peer, or undefined when it has been told. Counts as told. */
  news(): number | undefined {
    if (!this.hasNews) return undefined;
    this.#told = this.#settled;
    return this.#settled;
  }

  /** Makes the next {@link news} tell the same again. */
  repeat(): void {
    this.#told = -1;
  }
}
