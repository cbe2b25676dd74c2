// Remembers things by key until they are both out of the window and older than they need to be. Keeps them in two
// generations and forgets the older one as a whole, so that nothing is looked at one by one and remembering costs one
// entry in a map. Never forgets too early; late by one generation at most.

export class Generations<T> {
  #young = new Map<string, T>();
  /** Made when the first generation has grown old: most transactions that lie idle never get there. */
  #old: Map<string, T> | undefined;
  /** The older generation holds nothing that was put at a higher position, or later. */
  #oldPosition = 0;
  #oldAt = 0;

  get size(): number {
    return this.#young.size + (this.#old?.size ?? 0);
  }

  /** How many were remembered since the generations changed. */
  get youngSize(): number {
    return this.#young.size;
  }

  get(key: string): T | undefined {
    return this.#young.get(key) ?? this.#old?.get(key);
  }

  /** Remembers from now on, also what was remembered before. */
  put(key: string, value: T): void {
    this.#young.set(key, value);
  }

  /** Everything remembered; what was put twice may come twice. */
  *values(): Iterable<T> {
    if (this.#old !== undefined) yield* this.#old.values();
    yield* this.#young.values();
  }

  /**
   * Forgets the older generation once all of it is below position `first` and was put at `before` or earlier; then
   * the younger one, which goes up to position `last` at the moment `now`, takes its place.
   *
   * @param keep what must not be forgotten yet, whatever its age.
   */
  turn(window: { first: number; last: number }, before: number, now: number, keep?: (value: T) => boolean): void {
    if (this.size === 0 || this.#oldPosition >= window.first || this.#oldAt > before) return;
    for (const [key, value] of (keep === undefined ? undefined : this.#old) ?? []) {
      if (keep?.(value) && !this.#young.has(key)) this.#young.set(key, value);
    }
    this.age();
    this.#oldPosition = window.last;
    this.#oldAt = now;
  }

  /** Forgets the older generation; the younger one takes its place. */
  age(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
