// Asks a shared store, every few seconds, where the logs in hand stand and whose rights ended: hints that others appended
// or revoked may be lost. So it also knows when the store is out of reach. Runs only while somebody is here, or until the
// store is back. Spec: §4, §5; faults F31, F35.

import type { Heads, Timer } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { deadline } from './deadline.ts';
import type { LiveLog } from './live-log.ts';

export interface PositionCheckOwner {
  /** Whether somebody is here. */
  isNeeded(): boolean;
  /** A user's rights ended elsewhere. */
  revoked(user: string, agoMs: number): void;
  /** The store has answered nothing for `storeTimeoutMs`. */
  lost(): void;
  /** It answers again. */
  found(): void;
}

/** How much oftener it asks while nobody is taken because of it. */
const OFTENER = 5;

export class PositionCheck {
  readonly #context: ServerContext;
  readonly #owner: PositionCheckOwner;
  #timer: Timer | undefined;
  /** Runs from the first question that has no answer. */
  #patience: Timer | undefined;
  #isLost = false;
  #stopped = false;
  #asked = 0;
  /** The newest question whose answer was taken: an answer that was overtaken tells old news. */
  #taken = 0;
  /** Up to where this node knows whose rights ended. */
  #place: string | undefined;

  constructor(context: ServerContext, owner: PositionCheckOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** The store has not answered for too long. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Somebody is here. Begins at once: what is revoked from now on must be known. */
  begin(): void {
    if (this.#timer === undefined && !this.#stopped && this.#context.history.supports.shared) this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#patience?.cancel();
  }

  /** Asks, and again in a while, whether or not it was answered: some stores never say that a question is lost. */
  #look(): void {
    const { clock, limits } = this.#context;
    this.#patience ??= deadline(clock, limits.storeTimeoutMs, () => this.#lose());
    void this.#ask();
    const { positionCheckMs } = limits;
    this.#timer = clock.timer(this.#isLost ? positionCheckMs / OFTENER : positionCheckMs, () => {
      this.#timer = undefined;
      if (this.#isLost || this.#owner.isNeeded()) this.#look();
      else this.#endPatience();
    });
  }

  async #ask(): Promise<void> {
    const { history, logs, log } = this.#context;
    const nth = ++this.#asked;
    const inHand = [...logs.inHand()];
    const transactions = inHand.map(({ transaction }) => transaction);
    try {
      const answer = await history.heads(transactions, this.#place);
      if (this.#stopped) return;
      this.#answered();
      if (nth <= this.#taken) return;
      this.#taken = nth;
      this.#take(answer, inHand);
    } catch (error) {
      log('warn', 'positions not checked', { error });
    }
  }

  #answered(): void {
    this.#endPatience();
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#owner.found();
  }

  #endPatience(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#owner.lost();
  }

  #take({ heads, revoked, place }: Heads, inHand: readonly LiveLog[]): void {
    this.#place = place;
    for (const { user, agoMs } of revoked) this.#owner.revoked(user, agoMs);
    for (const [at, one] of inHand.entries()) {
      const head = heads[at];
      if (head && (head.last > one.last || head.epoch !== one.epoch)) one.changed();
    }
  }
}
