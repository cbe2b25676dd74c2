// Asks a shared store, every few seconds, where the logs in hand stand and whose rights ended: hints that others appended
// or revoked may be lost. Runs only while somebody is here. Spec: §4, §5; faults F31, F35.

import type { Heads, Timer } from '@haip/protocol';
import type { ServerContext } from './context.ts';

export class PositionCheck {
  readonly #context: ServerContext;
  readonly #isNeeded: () => boolean;
  readonly #revoked: (user: string, agoMs: number) => void;
  #timer: Timer | undefined;
  #asking = false;
  #stopped = false;
  /** Up to where this node knows whose rights ended. */
  #place: string | undefined;

  /** @param revoked told of each user whose rights ended elsewhere. */
  constructor(context: ServerContext, isNeeded: () => boolean, revoked: (user: string, agoMs: number) => void) {
    this.#context = context;
    this.#isNeeded = isNeeded;
    this.#revoked = revoked;
  }

  /** Somebody is here. Begins at once: what is revoked from now on must be known. */
  begin(): void {
    if (this.#stopped || this.#asking || this.#timer !== undefined || !this.#context.history.supports.shared) return;
    void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { history, logs, log, clock, limits } = this.#context;
    this.#asking = true;
    try {
      const inHand = [...logs.inHand()];
      const answer = await history.heads(
        inHand.map(({ transaction }) => transaction),
        this.#place,
      );
      if (this.#stopped) return;
      this.#take(answer);
      for (const [at, one] of inHand.entries()) {
        const head = answer.heads[at];
        if (head && (head.last > one.last || head.epoch !== one.epoch)) one.changed();
      }
    } catch (error) {
      log('warn', 'positions not checked', { error });
    }
    this.#asking = false;
    if (this.#stopped || !this.#isNeeded()) return;
    this.#timer = clock.timer(limits.positionCheckMs, () => {
      this.#timer = undefined;
      void this.#look();
    });
  }

  #take({ revoked, place }: Heads): void {
    this.#place = place;
    for (const { user, agoMs } of revoked) this.#revoked(user, agoMs);
  }
}
