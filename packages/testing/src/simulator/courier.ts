// Carries what keeps no order: each arrives in a time of its own, or never.

import type { PipeOptions } from './pipe.ts';
import type { Host } from './world.ts';

export class Courier {
  readonly #options: Pick<PipeOptions, 'latencyMs'>;
  /** What arrived while nothing may; undefined: it flows. */
  #held: (readonly [to: Host, run: () => void])[] | undefined;
  #isMute = false;

  constructor(options: Pick<PipeOptions, 'latencyMs'>) {
    this.#options = options;
  }

  /** @param laterMs beyond what each takes. */
  send(to: Host, run: () => void, laterMs = 0): void {
    to.after(this.#options.latencyMs() + laterMs, () => {
      if (this.#isMute) return;
      if (this.#held === undefined) run();
      else this.#held.push([to, run]);
    });
  }

  mute(): void {
    this.#isMute = true;
    this.#held = undefined;
  }

  stall(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [to, run] of held) to.after(0, run);
  }
}
