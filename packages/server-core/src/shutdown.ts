// Ends a server without a loss: lets turns end, moves its clients away one by one, waits until all that was begun is
// stored and every lease is let go, and in the end waits for nothing any more. Spec: §6.5; fault F24.

import type { Timer } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { Moving } from './moving.ts';
import type { Session } from './session.ts';

export interface ShutdownTimes {
  /** How long turns that go on may take to end; then they are stopped. */
  readonly graceMs: number;
  /** Within which the connections are closed. */
  readonly spreadMs: number;
}

export class Shutdown {
  /** Resolves when all is gone, or waited for no more. */
  readonly done: Promise<void>;
  readonly #context: ServerContext;
  readonly #live: ReadonlySet<Session>;
  /** Those that were there at the beginning; nobody comes any more. */
  readonly #sessions: readonly Session[];
  readonly #moving: Moving<Session>;
  #grace: Timer | undefined;

  /** @param live the connections that are open. */
  constructor(context: ServerContext, live: ReadonlySet<Session>, { graceMs, spreadMs }: ShutdownTimes) {
    this.#context = context;
    this.#live = live;
    this.#sessions = [...live];
    context.logs.unanswered = (transaction) => this.#moveReaders(transaction);
    if (graceMs > 0) {
      context.logs.retire();
      this.#grace = context.clock.timer(graceMs, () => context.logs.close());
    } else {
      context.logs.close();
    }
    this.#moving = new Moving(context.clock, this.#sessions, spreadMs, restart);
    this.done = this.#wait();
  }

  /** Gives nobody any more time. */
  hasten(): void {
    this.#grace?.cancel();
    this.#context.logs.close();
    this.#moving.finish();
  }

  async #wait(): Promise<void> {
    const { clock, limits, logs, log } = this.#context;
    // Who is still there may begin something.
    const gone = Promise.all(this.#sessions.map((session) => session.gone)).then(() => logs.gone());
    const isGone = await new Promise<boolean>((resolve) => {
      const timer = clock.timer(limits.closeWithinMs, () => resolve(false));
      gone.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
    this.#grace?.cancel();
    this.#moving.finish();
    if (!isGone) log('warn', 'closed unfinished', { connections: this.#live.size, transactions: logs.size });
  }

  /** Somebody waits for an answer that another node is to give: it begins when they come there. */
  #moveReaders(transaction: string): void {
    for (const session of this.#live) if (session.reads(transaction)) restart(session);
  }
}

function restart(session: Session): void {
  session.close(1012, 'restarting');
}
