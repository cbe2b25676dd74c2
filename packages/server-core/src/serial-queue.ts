// Runs jobs one after another. A job that is done at once costs nothing and waits for nobody; one that gives a
// promise makes those behind it wait. Never drops a job.

import type { Pending } from '@haip/protocol';

type Job = () => Pending;

export class SerialQueue {
  readonly #failed: (error: unknown) => void;
  readonly #waiting: Job[] = [];
  #busy = false;

  /** @param failed told what a job threw; the queue goes on with the next. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Jobs that did not begin yet. */
  get length(): number {
    return this.#waiting.length;
  }

  get idle(): boolean {
    return !this.#busy;
  }

  push(job: Job): void {
    if (this.#busy) {
      this.#waiting.push(job);
      return;
    }
    const pending = this.#run(job);
    if (pending) this.#drain(pending);
  }

  #run(job: Job): Pending {
    try {
      return job();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #drain(first: Promise<void>): Promise<void> {
    this.#busy = true;
    let pending: Pending = first;
    while (true) {
      try {
        if (pending) await pending;
      } catch (error) {
        this.#failed(error);
      }
      const job = this.#waiting.shift();
      if (job === undefined) break;
      pending = this.#run(job);
    }
    this.#busy = false;
  }
}
