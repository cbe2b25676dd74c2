// The reference ledger: every answer at once, nothing survives the process. An account is a number; what was taken
// under which key counts for a time, is kept in two generations and goes with the older one. Spec: §5.

import type { Clock, CreditLedger } from '@haip/protocol';

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  /** How long keys are remembered. Default 900,000. */
  readonly keyTtlMs?: number | undefined;
}

/** What was taken under a key. */
interface Taken {
  readonly amount: number;
  readonly at: number;
}

/** Accounts in memory. Each lives as long as the process: a forgotten one would begin anew, with new credit. */
export function memoryLedger({ clock, keyTtlMs = 900_000 }: MemoryLedgerOptions): CreditLedger {
  const accounts = new Map<string, number>();
  let young = new Map<string, Taken>();
  let old = new Map<string, Taken>();
  let turnedAt = clock.monotonic();

  function turn(now: number): void {
    if (now - turnedAt < keyTtlMs) return;
    // Left alone for two lives, both are over.
    old = now - turnedAt < 2 * keyTtlMs ? young : new Map();
    young = new Map();
    turnedAt = now;
  }

  /** A store may have forgotten the id of an older message: what that cost is neither paid for another nor given back. */
  function find(name: string, now: number): Taken | undefined {
    const taken = young.get(name) ?? old.get(name);
    return taken !== undefined && now - taken.at < keyTtlMs ? taken : undefined;
  }

  return {
    open(user, credits) {
      const balance = accounts.get(user);
      if (balance !== undefined) return balance;
      accounts.set(user, credits);
      return credits;
    },
    debit(user, key, amount) {
      const now = clock.monotonic();
      turn(now);
      const name = nameOf(user, key);
      const balance = accounts.get(user) ?? 0;
      if (find(name, now) !== undefined) return { kind: 'known', balance };
      if (amount > balance) return { kind: 'refused', balance };
      accounts.set(user, balance - amount);
      young.set(name, { amount, at: now });
      return { kind: 'taken', balance: balance - amount };
    },
    undo(user, key) {
      const name = nameOf(user, key);
      const taken = find(name, clock.monotonic());
      if (taken === undefined) return null;
      young.delete(name);
      old.delete(name);
      const balance = (accounts.get(user) ?? 0) + taken.amount;
      accounts.set(user, balance);
      return balance;
    },
    grant(user, amount) {
      const balance = accounts.get(user);
      if (balance === undefined) return null;
      accounts.set(user, balance + amount);
      return balance + amount;
    },
    balance: (user) => accounts.get(user) ?? null,
  };
}

/** The user's length says where it ends, so no two pairs give one name. */
function nameOf(user: string, key: string): string {
  return `${user.length} ${user}${key}`;
}
