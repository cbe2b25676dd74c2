// Up to which of its own numbers a connection's messages are settled: stored, acted on, or answered. Numbers are
// taken in order but may settle out of order, one transaction's store being slower than another's. Spec: §3, ack.

export class Settlement {
  #taken = 0;
  /** Numbers taken and not settled, in rising order. Stays empty while everything is done at once. */
  readonly #open = new Set<number>();
  #told = 0;

  /** The last number taken. */
  get taken(): number {
    return this.#taken;
  }

  take(number: number): void {
    this.#taken = number;
    this.#open.add(number);
  }

  settle(number: number): void {
    this.#open.delete(number);
  }

  /** Everything up to here is settled. */
  get settled(): number {
    for (const first of this.#open) return first - 1;
    return this.#taken;
  }

  get hasNews(): boolean {
    return this.settled !== this.#told;
  }

  /** What to tell the peer, or undefined when it has been told. Counts as told. */
  news(): number | undefined {
    const { settled } = this;
    if (settled === this.#told) return undefined;
    this.#told = settled;
    return settled;
  }

  /** Makes the next {@link news} tell the same again. */
  repeat(): void {
    this.#told = -1;
  }
}
