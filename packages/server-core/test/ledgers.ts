// Ledgers that a test holds by the hand: one that answers late by chance and may fail, one that counts what it did.

import type { CreditLedger, Random } from '@haip/protocol';
import { type FakeClock, settle } from '@haip/testing';
import { memoryLedger } from '../src/index.ts';

/** What a ledger did, by its own account: what was taken and not given back, under which key. */
export interface WatchedLedger extends CreditLedger {
  /** `user key` → what is taken under it now. */
  readonly taken: ReadonlyMap<string, number>;
  /** The lowest balance it ever named. */
  readonly lowest: number;
}

/** The reference ledger, watched. */
export function watchedLedger(clock: FakeClock): WatchedLedger {
  const inner = memoryLedger({ clock });
  const taken = new Map<string, number>();
  let lowest = Number.POSITIVE_INFINITY;
  const note = (balance: number): void => {
    lowest = Math.min(lowest, balance);
  };
  return {
    ...inner,
    taken,
    get lowest() {
      return lowest;
    },
    debit(user, key, amount) {
      const debit = inner.debit(user, key, amount) as Awaited<ReturnType<CreditLedger['debit']>>;
      if (debit.kind === 'taken') taken.set(`${user} ${key}`, amount);
      note(debit.balance);
      return debit;
    },
    undo(user, key) {
      taken.delete(`${user} ${key}`);
      return inner.undo(user, key);
    },
  };
}

export interface LateLedger extends CreditLedger {
  /** The next call of this method rejects; `after`: what it does is done all the same. */
  failNext(method: keyof CreditLedger, when: 'before' | 'after'): void;
}

/** A ledger behind a wire: every answer is a promise, some turns of the event loop later. */
export function lateLedger(inner: CreditLedger, random: Random): LateLedger {
  const failing = new Map<keyof CreditLedger, 'before' | 'after'>();
  const late =
    <Arguments extends unknown[], Answer>(method: keyof CreditLedger, call: (...given: Arguments) => Answer) =>
    async (...given: Arguments): Promise<Awaited<Answer>> => {
      const when = failing.get(method);
      failing.delete(method);
      await settle(Math.floor(random() * 3));
      if (when === 'before') throw new Error('ledger: failed before, as the test wants');
      const answer = await call(...given);
      await settle(Math.floor(random() * 3));
      if (when === 'after') throw new Error('ledger: failed after, as the test wants');
      return answer;
    };
  return {
    open: late('open', inner.open),
    debit: late('debit', inner.debit),
    undo: late('undo', inner.undo),
    grant: late('grant', inner.grant),
    balance: late('balance', inner.balance),
    failNext: (method, when) => void failing.set(method, when),
  };
}
