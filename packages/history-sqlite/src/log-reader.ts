// Answers what is asked of the file, at once, on a connection of its own: readers wait for nobody and nobody waits for
// them. Never writes: what ran out of its time is left out here and deleted by the writer later. Spec: §4.

import type { DatabaseSync } from 'node:sqlite';
import {
  type EntryRow,
  entryOf,
  LIST_PAGE,
  type LogRow,
  type Place,
  pageOf,
  placeOf,
  REVOKED_FOR_MS,
  recordOf,
  serialOf,
  type WindowLimits,
} from '@haip/history-engine';
import type {
  Entry,
  Head,
  Heads,
  HistoryPage,
  HistoryRange,
  Revoked,
  TransactionPage,
  TransactionRecord,
} from '@haip/protocol';
import { LogRows } from './log-rows.ts';

interface RecordRow {
  readonly serial: number;
  readonly record: string;
  readonly endedAt: number | null;
}

export class LogReader {
  readonly #epoch: string;
  readonly #limits: WindowLimits;
  readonly #now: () => number;
  readonly #rows: LogRows;
  readonly #sql: ReturnType<typeof prepare>;

  /** @param now ms of the store's time. */
  constructor(db: DatabaseSync, epoch: string, limits: WindowLimits, now: () => number) {
    this.#epoch = epoch;
    this.#limits = limits;
    this.#now = now;
    this.#rows = new LogRows(db);
    this.#sql = prepare(db);
  }

  get(transaction: string): TransactionRecord | null {
    const row = this.#sql.get.get(transaction) as RecordRow | undefined;
    return row === undefined ? null : recordOf(row.record, row.endedAt);
  }

  /** @param after the `next` of the page before; anything else has no page. */
  list(user: string, after?: string): TransactionPage {
    const below = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
    if (!Number.isSafeInteger(below)) return { transactions: [] };
    return pageOf(this.#sql.list.all(user, below, LIST_PAGE + 1) as unknown as RecordRow[]);
  }

  find(transaction: string, user: string, id: string): Place | null {
    const place = this.#sql.find.get(transaction, user, id) as Place | undefined;
    return place === undefined ? null : { ...place };
  }

  read(transaction: string, range: HistoryRange): HistoryPage | null {
    return this.#atOneMoment(() => {
      const log = this.#rows.log(transaction);
      if (log === undefined) return null;
      const head = this.#headOf(log);
      return { ...head, entries: this.#entries(log.serial, head, range) };
    });
  }

  head(transaction: string): Head | null {
    return this.#atOneMoment(() => this.#headNow(transaction));
  }

  heads(transactions: readonly string[], since?: string): Heads {
    return this.#atOneMoment(() => {
      const newest = Number(this.#sql.newestRevoked.get()?.['seq'] ?? 0);
      const now = this.#now();
      const after = serialOf(since, this.#epoch, newest);
      const rows = this.#sql.revoked.all(after, now - REVOKED_FOR_MS) as { user: string; at: number }[];
      return {
        heads: transactions.map((transaction) => this.#headNow(transaction)),
        revoked: rows.map(({ user, at }): Revoked => ({ user, agoMs: Math.max(0, now - at) })),
        place: placeOf(this.#epoch, newest),
      };
    });
  }

  #headNow(transaction: string): Head | null {
    const log = this.#rows.log(transaction);
    return log === undefined ? null : this.#headOf(log);
  }

  #headOf(log: LogRow): Head {
    const first = this.#rows.trimOf(log, this.#limits, this.#now())?.first ?? log.first;
    return { epoch: this.#epoch, first, last: log.last };
  }

  #entries(serial: number, { first, last }: Head, range: HistoryRange): Entry[] {
    const { from, to = last, maxEntries = 200, maxBytes = 524_288 } = range;
    const entries: Entry[] = [];
    let bytes = 0;
    const rows = this.#sql.entries.iterate(serial, Math.max(from, first), Math.min(to, last), maxEntries);
    for (const row of rows as Iterable<unknown> as Iterable<EntryRow>) {
      entries.push(entryOf(row));
      bytes += row.size;
      // What follows may be large: it is not even looked at.
      if (bytes >= maxBytes) break;
    }
    return entries;
  }

  #atOneMoment<T>(look: () => T): T {
    this.#sql.begin.run();
    try {
      return look();
    } finally {
      this.#sql.end.run();
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    begin: db.prepare('BEGIN'),
    end: db.prepare('COMMIT'),
    get: db.prepare(
      `SELECT t.serial, record, ended_at AS endedAt FROM transactions t JOIN logs l ON l.serial = t.serial
       WHERE t.id = ?`,
    ),
    list: db.prepare(
      `SELECT m.serial, record, ended_at AS endedAt
       FROM members m JOIN transactions t ON t.serial = m.serial JOIN logs l ON l.serial = m.serial
       WHERE m.user = ? AND m.serial < ? ORDER BY m.serial DESC LIMIT ?`,
    ),
    find: db.prepare(
      `SELECT position, digest FROM keys
       WHERE serial = (SELECT serial FROM transactions WHERE id = ?) AND author = ? AND id = ?`,
    ),
    entries: db.prepare(
      `SELECT position, size, body, bytes FROM entries
       WHERE serial = ? AND position BETWEEN ? AND ? ORDER BY position LIMIT ?`,
    ),
    revoked: db.prepare('SELECT user, at FROM revocations WHERE serial > ? AND at > ? ORDER BY serial'),
    newestRevoked: db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'"),
  };
}
