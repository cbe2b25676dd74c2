// A history store in one file. Written by a thread of its own, so that no disk holds up the event loop; read at once, on
// the thread that asks. Spec: §3, §4; the decision: docs/decisions/0009.

import { type HistoryEngine, historyOver, LocalBackplane } from '@haip/history-engine';
import type { HistoryStore } from '@haip/protocol';
import { lockFile } from './file-lock.ts';
import { LogReader } from './log-reader.ts';
import { openFile } from './open-file.ts';
import { readOptions, type SqliteHistoryOptions } from './options.ts';
import { CommitFailed, Writer } from './writer.ts';

/**
 * Logs in one SQLite file, for one process at a time. What was settled survives the process and, with `synchronous:
 * 'full'`, the power. An append that the disk refuses rejects and may be tried again; reading goes on.
 *
 * @throws RangeError for an option out of its range; the message names it.
 * @throws Error for a file that another process has open, that is not a history, or that a later version wrote.
 */
export function sqliteHistory(options: SqliteHistoryOptions): HistoryStore {
  const read = readOptions(options);
  const { path, limits, synchronous, maxFileBytes, clock } = read;
  const unlock = lockFile(path);
  try {
    const { db, epoch, lastAt } = openFile(read);
    // The wall clock places the time since the last run; from here on a jump of it moves nothing.
    const offset = Math.max(clock.now(), lastAt) - clock.monotonic();
    const now = (): number => Math.floor(offset + clock.monotonic());
    const reader = new LogReader(db, epoch, limits, now);
    const writer = new Writer({ path, epoch, synchronous, limits, maxFileBytes });
    const backplane = new LocalBackplane();
    const engine: HistoryEngine = {
      supports: { durable: true, shared: false },
      get: (transaction) => reader.get(transaction),
      list: (user, after) => reader.list(user, after),
      find: (transaction, user, id) => reader.find(transaction, user, id),
      read: (transaction, range) => reader.read(transaction, range),
      head: (transaction) => reader.head(transaction),
      heads: (transactions, since) => reader.heads(transactions, since),
      watch: () => () => {},
      notify: (topic, body) => backplane.notify(topic, body),
      listen: (topic, heard) => backplane.listen(topic, heard),
      commit: (works) => writer.order({ what: 'commit', works, now: now() }),
      mayBeOfOne: (error) => !(error instanceof CommitFailed) || error.mayBeOfOne,
      async close() {
        try {
          await writer.close();
        } finally {
          db.close();
          unlock();
        }
      },
    };
    return historyOver(engine);
  } catch (error) {
    unlock();
    throw error;
  }
}
