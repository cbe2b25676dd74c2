// An async iterator over what is pushed to it: each loop has its own. Holds what was not pulled yet, up to a cap; past
// that the loop fails with `too_slow` rather than hold more or leave something out in silence.

import { ClientError } from './errors.ts';

export interface PullQueueOptions<T> {
  readonly signal?: AbortSignal | undefined;
  /** What it begins with. */
  readonly items?: T[];
  /** Most items held. Default: no cap. */
  readonly limit?: number;
  /** Told once, with what was not pulled, when the loop is over. */
  readonly released: (queue: PullQueue<T>, left: T[]) => void;
}

export class PullQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #items: T[];
  readonly #limit: number;
  readonly #released: PullQueueOptions<T>['released'];
  readonly #signal: AbortSignal | undefined;
  readonly #stop = (): void => this.#fail(this.#signal?.reason);
  #pulls: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  /** Set when nothing more will be pushed; with `error` when the loop has to hear of it. */
  #end: { readonly error?: unknown } | undefined;

  constructor({ signal, items = [], limit = Number.POSITIVE_INFINITY, released }: PullQueueOptions<T>) {
    this.#items = items;
    this.#limit = limit;
    this.#released = released;
    this.#signal = signal;
    if (signal?.aborted) this.#stop();
    else signal?.addEventListener('abort', this.#stop, { once: true });
  }

  push(item: T): void {
    if (this.#end !== undefined) return;
    const pull = this.#pulls.shift();
    if (pull !== undefined) pull.resolve({ done: false, value: item });
    else if (this.#items.length < this.#limit) this.#items.push(item);
    else this.end(new ClientError('too_slow', `The loop is more than ${this.#limit} items behind.`));
  }

  /** Ends the loop after what is held, with an error when there is one. */
  end(error?: unknown): void {
    this.#close(error, []);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift() as T });
    if (this.#end !== undefined) {
      const { error } = this.#end;
      this.#end = {};
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
    }
    const pull = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#pulls.push(pull);
    return pull.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#close(undefined, this.#items.splice(0));
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The loop is over now, whatever was held. */
  #fail(reason: unknown): void {
    this.#close(reason, this.#items.splice(0));
  }

  #close(error: unknown, left: T[]): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#released(this, left);
    for (const pull of this.#pulls.splice(0)) this.next().then(pull.resolve, pull.reject);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
