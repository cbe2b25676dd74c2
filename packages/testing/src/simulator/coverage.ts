// What was met in how many simulations together: faults in the states they hit, codes, invariants judged. A cell that
// stayed empty proves nothing.

export class Coverage {
  readonly #counts = new Map<string, number>();

  count(cell: string, times = 1): void {
    this.#counts.set(cell, (this.#counts.get(cell) ?? 0) + times);
  }

  get(cell: string): number {
    return this.#counts.get(cell) ?? 0;
  }

  add(other: Iterable<readonly [string, number]>): void {
    for (const [cell, times] of other) this.count(cell, times);
  }

  cells(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
