// Tells listeners, one after the other and at once. A listener that throws or rejects is logged and costs nobody
// else anything: what it was told of counts as told.

import type { Logger } from '@haip/protocol';

export class Emitter<Events> {
  readonly #listeners = new Set<readonly [name: keyof Events, listener: (value: never) => unknown]>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls `listener` at each event of that name until the function it gives is called. What it throws is logged. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const place = [name, listener] as const;
    this.#listeners.add(place);
    return () => void this.#listeners.delete(place);
  }

  protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const [listened, listener] of [...this.#listeners]) {
      if (listened !== name) continue;
      // Async for its way with errors only: the listener itself is called at once.
      const tell = async (): Promise<unknown> => listener(value as never);
      tell().catch((error: unknown) => this.#logger('error', 'listener failed', { listener: String(name), error }));
    }
  }
}
