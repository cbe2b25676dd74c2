// Which transactions each user started or joined, newest first and page by page.

import type { TransactionPage } from '@haip/protocol';
import type { TransactionLog } from './transaction-log.ts';

const PAGE = 50;

/** How many of the logs have a lower serial. None for a cursor that is no number. */
function countBelow(logs: readonly TransactionLog[], serial: number): number {
  let low = 0;
  let high = logs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((logs[middle]?.serial ?? 0) < serial) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Memberships {
  /** In the order the transactions were created. */
  readonly #ofUser = new Map<string, TransactionLog[]>();

  add(user: string, log: TransactionLog): void {
    if (log.members.includes(user)) return;
    log.members.push(user);
    const logs = this.#ofUser.get(user);
    if (logs === undefined) this.#ofUser.set(user, [log]);
    else logs.splice(countBelow(logs, log.serial), 0, log);
  }

  /** The transaction is gone for all its members. */
  remove(log: TransactionLog): void {
    for (const user of log.members) {
      const logs = this.#ofUser.get(user) ?? [];
      logs.splice(countBelow(logs, log.serial), 1);
      if (logs.length === 0) this.#ofUser.delete(user);
    }
  }

  /** @param after the `next` of the page before. */
  page(user: string, after: string | undefined): TransactionPage {
    const logs = this.#ofUser.get(user) ?? [];
    const end = after === undefined ? logs.length : countBelow(logs, Number(after));
    const start = Math.max(0, end - PAGE);
    const transactions = logs
      .slice(start, end)
      .reverse()
      .map(({ record }) => record);
    const next = start > 0 ? logs[start] : undefined;
    return next === undefined ? { transactions } : { transactions, next: String(next.serial) };
  }
}
