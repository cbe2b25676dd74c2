// The transactions of a store: made once for each reference, found by id, and let go when nobody needs them any more.
// What happens within one is TransactionLog's. Spec: §2, §4.

import type { CreatedTransaction, Draft, TransactionPage, TransactionRecord } from '@haip/protocol';
import { Memberships } from './memberships.ts';
import type { Limits } from './options.ts';
import { TransactionLog } from './transaction-log.ts';

/** An id has no space in it, so no two pairs give one key. */
function referenceKey({ referenceId, starter }: TransactionRecord): string {
  return `${referenceId} ${starter}`;
}

export class Transactions {
  readonly #epoch: string;
  readonly #limits: Limits;
  readonly #logs = new Map<string, TransactionLog>();
  readonly #byReference = new Map<string, TransactionLog>();
  readonly #memberships = new Memberships();
  #created = 0;
  #round = this.#logs.values();

  constructor(epoch: string, limits: Limits) {
    this.#epoch = epoch;
    this.#limits = limits;
  }

  get(transaction: string): TransactionLog | undefined {
    return this.#logs.get(transaction);
  }

  create(record: TransactionRecord, first: Draft, now: number): CreatedTransaction {
    const epoch = this.#epoch;
    const known = this.#byReference.get(referenceKey(record));
    if (known !== undefined) return { record: known.record, epoch, created: false };
    if (this.#logs.has(record.transaction)) throw new Error(`history: ${record.transaction} exists already`);
    const log = new TransactionLog(record, epoch, ++this.#created, this.#limits);
    this.#logs.set(record.transaction, log);
    this.#byReference.set(referenceKey(record), log);
    this.#memberships.add(record.starter, log);
    this.append(log, first, undefined, now);
    return { record: log.record, epoch, created: true };
  }

  /** Appends one draft and writes its outcome. */
  append(log: TransactionLog, draft: Draft, fence: number | undefined, now: number): void {
    draft.outcome = log.append(draft, fence, now);
    if (draft.type === 'TRANSACTION_JOIN' && draft.user !== null && draft.outcome.kind === 'stored') {
      this.#memberships.add(draft.user, log);
    }
  }

  list(user: string, after: string | undefined): TransactionPage {
    return this.#memberships.page(user, after);
  }

  /** Looks after one transaction, the next in a round, so that those which nobody touches shrink and go in the end. */
  tidyNext(now: number): void {
    const { value: log } = this.#round.next();
    if (log === undefined) {
      this.#round = this.#logs.values();
      return;
    }
    log.tidy(now);
    if (!log.isOver(now)) return;
    this.#logs.delete(log.record.transaction);
    this.#byReference.delete(referenceKey(log.record));
    this.#memberships.remove(log);
  }

  clear(): void {
    this.#logs.clear();
    this.#byReference.clear();
  }
}
