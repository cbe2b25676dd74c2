// Remembers things until they are both out of the window and older than they need to be. Keeps them in two books and
// forgets the older one as a whole, so that nothing is looked at one by one. Never forgets too early; late by one
// generation at most. What a book is, and how to look something up, is its owner's business.

/** What things are written into: a Map, an IdTable. */
export interface Book {
  readonly size: number;
  clear(): void;
}

export class Generations<B extends Book> {
  readonly #make: () => B;
  /** Where new things are written. */
  young: B;
  /** What was young before; undefined until the first change, as most transactions that lie idle never get there. */
  old: B | undefined;
  /** The older book holds nothing that was written at a higher position, or later. */
  #oldPosition = 0;
  #oldAt = 0;

  constructor(make: () => B) {
    this.#make = make;
    this.young = make();
  }

  /**
   * Forgets the older book once all of it is below position `first` and was written at `before` or earlier; then the
   * younger one, which goes up to position `last` at the moment `now`, takes its place.
   *
   * @param carry writes into the younger book what of the older one must not be forgotten yet.
   */
  turn(window: { first: number; last: number }, before: number, now: number, carry?: (old: B, young: B) => void): void {
    if (this.young.size === 0 && this.old === undefined) return;
    if (this.#oldPosition >= window.first || this.#oldAt > before) return;
    if (this.old !== undefined) carry?.(this.old, this.young);
    this.age();
    this.#oldPosition = window.last;
    this.#oldAt = now;
  }

  /** Forgets the older book; the younger one takes its place. */
  age(): void {
    const forgotten = this.old;
    forgotten?.clear();
    this.old = this.young.size > 0 ? this.young : undefined;
    // Where much is written the room of the old one is used again; where nothing is, it goes.
    this.young = (this.old && forgotten) ?? this.#make();
  }
}
