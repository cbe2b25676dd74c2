// Who people are and what they may do, as an identity provider knows it: the same for all nodes at once, whatever these
// know yet.

import type { Authenticator, HAIPUser } from '@haip/protocol';

const all = ['*'];
const rightsOfAll = {
  MESSAGE: all,
  AUDIO: all,
  TOOL_UPDATE: all,
  TRANSACTION_JOIN: all,
  TRANSACTION_END: all,
  REPLAY_REQUEST: all,
  RUN_CANCEL: all,
  TOOL_CANCEL: all,
};

/** `banned`: not let in. `own`: may read nothing but what they started themselves. */
export type Loss = 'banned' | 'own';

/** Everybody of a simulation. `eve` never had a right to what others started. */
export class People {
  readonly names = ['ada', 'bob', 'eve'] as const;
  readonly #lost = new Map<string, { readonly loss: Loss; readonly at: number }>([['eve', { loss: 'own', at: -1 }]]);
  readonly #now: () => number;
  readonly #credits: number;

  /** @param credits what each account is opened with. */
  constructor(now: () => number, credits: number) {
    this.#now = now;
    this.#credits = credits;
  }

  readonly authenticate: Authenticator = (auth): HAIPUser | null => {
    const id = auth?.['user'];
    if (typeof id !== 'string') return null;
    const lost = this.#lost.get(id);
    if (lost?.loss === 'banned') return null;
    // What one may write stays the same: a refusal that was not heard, then taken back, would change the order.
    const permissions = id === 'eve' ? { MESSAGE: all } : lost ? { MESSAGE: all, AUDIO: all } : rightsOfAll;
    return { id, permissions, credits: this.#credits };
  };

  /** Since when a user may not read what others started; undefined for one who may. */
  lostAt(user: string): number | undefined {
    return this.#lost.get(user)?.at;
  }

  lose(user: string, loss: Loss): void {
    if (!this.#lost.has(user)) this.#lost.set(user, { loss, at: this.#now() });
  }

  restore(user: string): void {
    if (user !== 'eve') this.#lost.delete(user);
  }

  restoreAll(): void {
    for (const user of this.#lost.keys()) this.restore(user);
  }
}
