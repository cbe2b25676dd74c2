// The contract of a history store over an engine that commits works and reads rows. Written once for all engines that
// judge drafts here rather than inside the database. Spec: §3, §4.

import type { CreatedTransaction, Draft, HistoryStore, HistorySupports, Outcome, Pending } from '@haip/protocol';
import { recordOf, rowOf } from './entry-rows.ts';
import { GroupCommit } from './group-commit.ts';
import { type Answer, type Answers, leaseRecordOf, sizeOfWork, type Work } from './works.ts';

/** What a database does for a store. It is not asked anything any more once it was closed. */
export interface HistoryEngine
  extends Pick<HistoryStore, 'get' | 'list' | 'find' | 'read' | 'head' | 'heads' | 'watch' | 'notify' | 'listen'> {
  readonly supports: HistorySupports;
  /** Commits all works in order, in one step, or nothing and rejects. Gives the answer to each. */
  commit(works: readonly Work[]): Promise<readonly Answer[]>;
  /**
   * The lane of a work: works of one lane are committed in the order they came, one group at a time, and no lane waits
   * for another. Absent: all are of one lane.
   */
  laneOf?(work: Work): string;
  /** After how many bytes a group of works takes no more. Default 4 MiB. */
  readonly mostGroupBytes?: number | undefined;
  /** Whether a failed commit may be the fault of one of its works, rather than of the database. */
  mayBeOfOne(error: unknown): boolean;
  /** Called once, when nothing is underway. */
  close(): Promise<void>;
}

/** A store over an engine, with group commit. */
export function historyOver(engine: HistoryEngine): HistoryStore {
  const lanes = new Map<string, GroupCommit<Work, Answer>>();
  let closing: Promise<void> | undefined;

  const refusal = (): Promise<never> => Promise.reject(new Error('history: the store is closed'));
  const ask = <T>(answer: () => T | Promise<T>): T | Promise<T> => (closing ? refusal() : answer());

  function laneOf(work: Work): GroupCommit<Work, Answer> {
    const name = engine.laneOf?.(work) ?? '';
    const known = lanes.get(name);
    if (known !== undefined) return known;
    const lane = new GroupCommit<Work, Answer>({
      commit: (works) => engine.commit(works),
      mayBeOfOne: (error) => engine.mayBeOfOne(error),
      sizeOf: sizeOfWork,
      mostBytes: engine.mostGroupBytes,
      idle: () => lanes.delete(name),
    });
    lanes.set(name, lane);
    return lane;
  }

  function write<One extends Work>(work: One): Promise<Answers[One['kind']]> {
    return closing ? refusal() : (laneOf(work).add(work) as Promise<Answers[One['kind']]>);
  }

  async function append(transaction: string, drafts: readonly Draft[], fence?: number): Promise<void> {
    for (const draft of drafts) draft.outcome = undefined;
    const outcomes = await write({ kind: 'append', transaction, rows: drafts.map(rowOf), fence });
    for (const [i, draft] of drafts.entries()) draft.outcome = outcomes[i] as Outcome;
  }

  return {
    supports: engine.supports,
    async create(record, first): Promise<CreatedTransaction> {
      const { transaction, starter, referenceId } = record;
      const text = JSON.stringify(record);
      const row = rowOf(first);
      const made = await write({ kind: 'create', transaction, starter, referenceId, record: text, row });
      if (made.kind === 'taken') throw new Error(`history: ${transaction} exists already`);
      const { epoch } = made;
      if (made.kind === 'known') return { record: recordOf(made.record, made.endedAt), epoch, created: false };
      first.outcome = made.outcome;
      return { record, epoch, created: true };
    },
    append: (transaction, drafts, fence): Pending =>
      drafts.length === 0 && !closing ? undefined : append(transaction, drafts, fence),
    get: (transaction) => ask(() => engine.get(transaction)),
    list: (user, after) => ask(() => engine.list(user, after)),
    find: (transaction, user, id) => ask(() => engine.find(transaction, user, id)),
    read: (transaction, range) => ask(() => engine.read(transaction, range)),
    head: (transaction) => ask(() => engine.head(transaction)),
    heads: (transactions, since) => ask(() => engine.heads(transactions, since)),
    revoke: (user) => write({ kind: 'revoke', user }),
    compact: (transaction, { messageId, start, end }) =>
      write({ kind: 'compact', transaction, stream: `message:${messageId}`, start, end }),
    async lease(transaction, holder, ttlMs) {
      const lease = await write({ kind: 'lease', transaction, holder, ttlMs });
      return lease && { fence: lease.fence, record: leaseRecordOf(lease.record) };
    },
    saveLease: (transaction, fence, record) =>
      write({ kind: 'saveLease', transaction, fence, record: JSON.stringify(record) }),
    watch: (changed, revoked) => engine.watch(changed, revoked),
    notify: (topic, body) => (closing ? refusal() : engine.notify(topic, body)),
    listen: (topic, heard) => engine.listen(topic, heard),
    close() {
      closing ??= Promise.all([...lanes.values()].map((lane) => lane.idle())).then(() => engine.close());
      return closing;
    },
  };
}
