// What a store does by itself every ten seconds once it is in use: tells the time to the others, and lets go of what is
// old. Keeps no process alive. A round that fails is made up for by the next one.

import { BEAT_MS } from './store-time.ts';

export class Upkeep {
  readonly #round: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(round: () => Promise<void>) {
    this.#round = round;
  }

  /** Begins, unless it has, or was stopped. */
  begin(): void {
    if (this.#isStopped) return;
    this.#timer ??= setInterval(() => {
      this.#running ??= this.#round()
        .catch(() => {})
        .finally(() => {
          this.#running = undefined;
        });
    }, BEAT_MS).unref();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
