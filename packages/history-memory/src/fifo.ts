/**
 * A queue with places: `push`, `shift` and `at` cost the same however long it is. Room that `shift` leaves at the
 * front is given back in strides, so that each item is moved at most once on average.
 */
export class Fifo<T> {
  readonly #items: (T | undefined)[];
  #head = 0;

  /** @param items the array to keep the items in. A test passes one that counts. */
  constructor(items: (T | undefined)[] = []) {
    this.#items = items;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out what `drop` says among the places `from` … `to` − 1, and closes ranks. */
  removeWithin(from: number, to: number, drop: (item: T) => boolean): void {
    let write = this.#head + from;
    for (let read = write; read < this.#items.length; read++) {
      const item = this.#items[read] as T;
      if (read >= this.#head + to || !drop(item)) this.#items[write++] = item;
    }
    this.#items.length = write;
  }
}
