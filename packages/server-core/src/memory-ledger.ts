// The reference ledger: every answer at once, nothing survives the process. An account is a number; what was taken
// under which key is kept in two generations and forgotten with the older one. Spec: §5.

import type { Clock, CreditLedger } from '@haip/protocol';

export interface MemoryLedgerOptions {
  readonly clock: Clock;
  /** How long keys are remembered at least; at most twice that. Default 900,000. */
  readonly keyTtlMs?: number | undefined;
}

/** Accounts in memory. Each lives as long as the process: a forgotten one would begin anew, with new credit. */
export function memoryLedger({ clock, keyTtlMs = 900_000 }: MemoryLedgerOptions): CreditLedger {
  const accounts = new Map<string, number>();
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  let turnedAt = clock.monotonic();

  function turn(): void {
    const now = clock.monotonic();
    if (now - turnedAt < keyTtlMs) return;
    // Left alone for two lives, both are over.
    old = now - turnedAt < 2 * keyTtlMs ? young : new Map();
    young = new Map();
    turnedAt = now;
  }

  return {
    open(user, credits) {
      const balance = accounts.get(user);
      if (balance !== undefined) return balance;
      accounts.set(user, credits);
      return credits;
    },
    debit(user, key, amount) {
      turn();
      const name = nameOf(user, key);
      const balance = accounts.get(user) ?? 0;
      if (young.has(name) || old.has(name)) return { kind: 'known', balance };
      if (amount > balance) return { kind: 'refused', balance };
      accounts.set(user, balance - amount);
      young.set(name, amount);
      return { kind: 'taken', balance: balance - amount };
    },
    undo(user, key) {
      const name = nameOf(user, key);
      const amount = young.get(name) ?? old.get(name);
      if (amount === undefined) return null;
      young.delete(name);
      old.delete(name);
      const balance = (accounts.get(user) ?? 0) + amount;
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
