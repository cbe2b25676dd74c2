// What is pushed, for any number of loops: each is an async iterator over everything from its beginning on. It holds
// what was not pulled yet, and the server waits for that. A feed that keeps holds what comes while there is no loop for
// the next one; nobody waits for that.

import { leave, type Stay } from './stay.ts';

interface Held<T> {
  readonly item: T;
  readonly stay?: Stay | undefined;
}

interface Loop<T> extends AsyncGenerator<T, undefined> {
  push(held: Held<T>): void;
  end(error?: unknown): void;
}

export class Feed<T> {
  readonly #loops = new Set<Loop<T>>();
  readonly #keeps: boolean;
  #kept: Held<T>[] = [];
  /** Set once nothing more will come; with `error` when the loops have to hear of it. */
  #over: { readonly error?: unknown } | undefined;

  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  push(item: T, stay?: Stay): void {
    if (stay) stay.holders += this.#loops.size;
    for (const loop of this.#loops) loop.push({ item, stay });
    if (this.#keeps && this.#loops.size === 0) this.#kept.push({ item });
  }

  /** What was kept is of no use any more. */
  forget(): void {
    this.#kept = [];
  }

  /** Ends every loop after what it holds, with an error when there is one. */
  end(error?: unknown): void {
    this.#over = { error };
    for (const loop of this.#loops) loop.end(error);
  }

  /** A loop from here on, and over what was kept. The signal ends it with its reason, whatever it holds. */
  loop(signal: AbortSignal | undefined): AsyncIterableIterator<T, undefined> {
    const items = this.#kept.splice(0);
    let wake = (): void => {};
    let over = this.#over;
    const close = (error?: unknown, left: Held<T>[] = []): void => {
      for (const { stay } of left) if (stay) leave(stay);
      if (over) return;
      over = { error };
      signal?.removeEventListener('abort', stop);
      this.#loops.delete(loop);
      if (this.#keeps && this.#loops.size === 0) this.#kept.unshift(...left.map(({ item }) => ({ item })));
      wake();
    };
    const stop = (): void => close(signal?.reason, items.splice(0));
    const take = async function* (): AsyncGenerator<T, undefined> {
      for (;;) {
        const held = items.shift();
        if (held) {
          if (held.stay) leave(held.stay);
          yield held.item;
        } else if (over) {
          if (over.error !== undefined) throw over.error;
          return undefined;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    };
    const loop: Loop<T> = Object.assign(take(), {
      push(held: Held<T>) {
        items.push(held);
        wake();
      },
      end: close,
      // The generator's own would wait for a `next` that waits, and do nothing before the first one.
      async return() {
        close(undefined, items.splice(0));
        return { done: true, value: undefined } as const;
      },
    });
    if (!over) {
      this.#loops.add(loop);
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
    }
    return loop;
  }
}
