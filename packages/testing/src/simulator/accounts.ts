// The ledger as the nodes reach it: one for all, behind the same network and with the same faults as the store. Notes
// what was really taken, for the checker.

import type { CreditLedger, Debit } from '@haip/protocol';
import { type StoreNode, seen } from './store-node.ts';
import type { Host } from './world.ts';

export class Accounts {
  /** What is taken from each user's account now, and not given back, by key. */
  readonly taken = new Map<string, Map<string, number>>();
  /** The lowest balance that was ever named. */
  lowest = Number.POSITIVE_INFINITY;
  readonly #ledger: CreditLedger;
  readonly #store: StoreNode;

  /** @param store whose faults are the ledger's too. */
  constructor(ledger: CreditLedger, store: StoreNode) {
    this.#ledger = ledger;
    this.#store = store;
  }

  /** Everybody has enough from now on. */
  async fill(users: readonly string[]): Promise<void> {
    for (const user of users) await this.#ledger.grant(user, 1_000_000);
  }

  /** The ledger as one node has it. */
  view(host: Host): CreditLedger {
    const ask = <T>(name: string, call: () => T | Promise<T>) => this.#store.ask(host, name, call);
    const ledger = this.#ledger;
    return {
      open: (user, credits) => ask('open', () => ledger.open(user, credits)),
      debit: (user, key, amount) => ask('debit', () => this.#debit(user, key, amount)),
      undo: (user, key) => ask('undo', () => this.#undo(user, key)),
      grant: (user, amount) => ask('grant', () => ledger.grant(user, amount)),
      balance: (user) => ask('balance', () => ledger.balance(user)),
    };
  }

  #debit(user: string, key: string, amount: number): Debit | Promise<Debit> {
    return seen(this.#ledger.debit(user, key, amount), (debit) => {
      this.lowest = Math.min(this.lowest, debit.balance);
      const keys = this.#keysOf(user);
      if (debit.kind === 'taken') keys.set(key, (keys.get(key) ?? 0) + amount);
      return debit;
    });
  }

  #undo(user: string, key: string): number | null | Promise<number | null> {
    return seen(this.#ledger.undo(user, key), (balance) => {
      if (balance !== null) this.#keysOf(user).delete(key);
      return balance;
    });
  }

  #keysOf(user: string): Map<string, number> {
    let keys = this.taken.get(user);
    if (keys === undefined) {
      keys = new Map();
      this.taken.set(user, keys);
    }
    return keys;
  }
}
