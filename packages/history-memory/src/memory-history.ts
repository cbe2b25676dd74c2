// The reference history store: every answer at once, nothing survives the process. Spec: §3, §4.

import { LocalBackplane } from '@haip/history-engine';
import type { Draft, HistoryPage, HistoryRange, HistoryStore, Outcome, Pending } from '@haip/protocol';
import { type MemoryHistoryOptions, readOptions } from './options.ts';
import { Revocations } from './revocations.ts';
import type { TransactionLog } from './transaction-log.ts';
import { Transactions } from './transactions.ts';

const missing: Outcome = { kind: 'refused', why: 'missing' };
/** One append in so many looks after another transaction too: its memory is far away. */
const TIDY_EVERY = 16;

/**
 * A log in memory for each transaction. Nothing waits and nothing survives: each store has an epoch of its own, so
 * clients of one that restarted are told to begin afresh.
 *
 * @throws RangeError for an option out of its range; the message names it.
 */
export function memoryHistory(options: MemoryHistoryOptions = {}): HistoryStore {
  const { limits, clock, ids } = readOptions(options);
  const transactions = new Transactions(ids(), limits);
  const revocations = new Revocations();
  const backplane = new LocalBackplane();
  let appends = 0;
  let isClosed = false;

  // Whole ms stay small integers inside the engine; fractions would be boxed, one allocation each.
  const now = (): number => Math.floor(clock.monotonic());

  /** Said of everything that is asked once the store is closed. */
  const refusal = (): Promise<never> => Promise.reject(new Error('history: the store is closed'));

  function append(transaction: string, drafts: readonly Draft[], fence?: number): Pending {
    if (isClosed) return refusal();
    const log = transactions.get(transaction);
    const at = now();
    for (const draft of drafts) {
      if (log === undefined) draft.outcome = missing;
      else transactions.append(log, draft, fence, at);
    }
    log?.tidy(at);
    if (++appends % TIDY_EVERY === 0) transactions.tidyNext(at);
    return undefined;
  }

  /** The log as it is now, what ran out of its time trimmed. */
  function current(transaction: string): TransactionLog | undefined {
    const log = transactions.get(transaction);
    log?.window.trim(now());
    return log;
  }

  function read(transaction: string, range: HistoryRange): HistoryPage | null | Promise<never> {
    if (isClosed) return refusal();
    const log = current(transaction);
    if (log === undefined) return null;
    const { first, last } = log.window;
    return { epoch: log.epoch, first, last, entries: log.window.read(range) };
  }

  return {
    supports: { durable: false, shared: false },
    append,
    read,
    create(record, first) {
      if (isClosed) return refusal();
      const at = now();
      transactions.tidyNext(at);
      return transactions.create(record, first, at);
    },
    get: (transaction) => (isClosed ? refusal() : (transactions.get(transaction)?.record ?? null)),
    list: (user, after) => (isClosed ? refusal() : transactions.list(user, after)),
    find: (transaction, user, id) => (isClosed ? refusal() : (transactions.get(transaction)?.find(user, id) ?? null)),
    head: (transaction) => (isClosed ? refusal() : (current(transaction)?.head() ?? null)),
    heads(transactions, since) {
      if (isClosed) return refusal();
      const heads = transactions.map((transaction) => current(transaction)?.head() ?? null);
      return { heads, ...revocations.since(since, now()) };
    },
    revoke: (user) => (isClosed ? refusal() : revocations.add(user, now())),
    compact: (transaction, message) => (isClosed ? refusal() : transactions.get(transaction)?.window.compact(message)),
    lease: (transaction, holder, ttlMs) =>
      isClosed ? refusal() : (transactions.get(transaction)?.lease(holder, ttlMs, now()) ?? null),
    saveLease: (transaction, fence, record) =>
      isClosed ? refusal() : transactions.get(transaction)?.saveLease(fence, record),
    watch: () => () => {},
    notify: (topic, body) => (isClosed ? refusal() : backplane.notify(topic, body)),
    listen: (topic, heard) => backplane.listen(topic, heard),
    close() {
      isClosed = true;
      transactions.clear();
    },
  };
}
