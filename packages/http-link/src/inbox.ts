// Holds what came until the consumer takes it, as one batch, and says when there is room for more. Never drops
// anything.

import type { Incoming } from '@haip/protocol';

type Batch = IteratorResult<Incoming[], undefined>;

export class Inbox implements AsyncIterator<Incoming[], undefined> {
  readonly #readAheadBytes: number;
  #batch: Incoming[] = [];
  #waitingBytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;
  #makeRoom: (() => void) | undefined;

  constructor(readAheadBytes: number) {
    this.#readAheadBytes = readAheadBytes;
  }

  put(incoming: Incoming, size: number): void {
    this.#batch.push(incoming);
    this.#waitingBytes += size;
    this.#wake?.();
  }

  /** A promise while too much waits for the consumer; it resolves at the end too. For one caller at a time. */
  room(): Promise<void> | undefined {
    if (this.#ended || this.#waitingBytes < this.#readAheadBytes) return undefined;
    return new Promise((resolve) => {
      this.#makeRoom = resolve;
    });
  }

  /** What waits is still given; after that the iteration is over. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
    this.#makeRoom?.();
  }

  async next(): Promise<Batch> {
    if (this.#batch.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const value = this.#batch;
    if (value.length === 0) return { done: true, value: undefined };
    this.#batch = [];
    this.#waitingBytes = 0;
    this.#makeRoom?.();
    return { done: false, value };
  }
}
