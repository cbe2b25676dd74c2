// What was asked and not answered yet, so that a store ends after it and takes nothing more.

export class Underway {
  readonly #asked = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Asks, at once. Rejects when closed. */
  add<T>(ask: () => Promise<T>): Promise<T> {
    if (this.isClosed) return Promise.reject(new Error('history: the store is closed'));
    const answer = ask();
    this.#asked.add(answer);
    const done = (): void => void this.#asked.delete(answer);
    answer.then(done, done);
    return answer;
  }

  /** Takes nothing more and calls `end` once all is answered. Closing again waits for the same. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#asked).then(end);
    return this.#closing;
  }
}
