// Tells listeners, one after the other and at once. A listener that throws or rejects is logged and costs nobody
// else anything: what it was told of counts as told.

import type { Logger } from '@haip/protocol';

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<{ call(value: never): unknown }>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls `listener` at each event of that name, until the function it gives is called. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const place = { call: listener };
    listeners.add(place);
    return () => void listeners.delete(place);
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const failed = (error: unknown): void =>
      this.#logger('error', 'listener failed', { listener: String(name), error });
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        const result = listener.call(value as never);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}
