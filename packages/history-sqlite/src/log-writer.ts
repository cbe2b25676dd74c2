// Writes works into the file, each group in one commit. Looks up what bears on them, has them judged, writes down what
// was decided, trims what no longer belongs. Runs in the writer's thread. Spec: §3, §4.

import type { DatabaseSync } from 'node:sqlite';
import {
  type Answer,
  type Answers,
  type AppendWork,
  type CompactWork,
  type CreateWork,
  type Creation,
  emptyLog,
  judgeDrafts,
  type Known,
  type LeaseWork,
  type LogRow,
  OVERHEAD,
  onceKey,
  type Place,
  REVOKED_FOR_MS,
  type SubjectState,
  subjectKeys,
  takeLease,
  type WindowLimits,
  type Work,
} from '@haip/history-engine';
import type { Outcome } from '@haip/protocol';
import { Caretaker } from './caretaker.ts';
import { LogRows } from './log-rows.ts';

export class LogWriter {
  readonly #db: DatabaseSync;
  readonly #epoch: string;
  readonly #rows: LogRows;
  readonly #caretaker: Caretaker;
  readonly #sql: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync, epoch: string, limits: WindowLimits) {
    this.#db = db;
    this.#epoch = epoch;
    this.#rows = new LogRows(db);
    this.#caretaker = new Caretaker(db, this.#rows, limits);
    this.#sql = prepare(db);
  }

  /**
   * Does all of it or nothing.
   * @param now ms of the store's time.
   */
  commit(works: readonly Work[], now: number): Answer[] {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const answers = works.map((work) => this.#write(work, now));
      const tidied = this.#caretaker.next(now);
      if (tidied !== undefined) this.#save(tidied);
      this.#db.exec('COMMIT');
      return answers;
    } catch (error) {
      try {
        this.#db.exec('ROLLBACK');
      } catch {
        // A full disk has rolled back by itself.
      }
      throw error;
    }
  }

  #write(work: Work, now: number): Answer {
    switch (work.kind) {
      case 'append':
        return this.#append(work, now);
      case 'create':
        return this.#create(work, now);
      case 'compact':
        return this.#compact(work);
      case 'lease':
        return this.#lease(work, now);
      case 'saveLease':
        this.#sql.saveLease.run(work.record, work.transaction, work.fence);
        return undefined;
      case 'revoke':
        this.#sql.forgetRevoked.run(now - REVOKED_FOR_MS);
        this.#sql.revoke.run(work.user, now);
        return undefined;
    }
  }

  #append({ transaction, rows, fence }: Pick<AppendWork, 'transaction' | 'rows' | 'fence'>, now: number): Outcome[] {
    const log = this.#rows.log(transaction);
    if (log === undefined) return rows.map(() => ({ kind: 'refused', why: 'missing' }));
    const { serial } = log;
    const { outcomes, stored, subjects } = judgeDrafts(log, rows, fence, this.#knownOf(serial, rows), now);
    const { insertEntry, insertKey, insertMember } = this.#sql;
    for (const { position, row, stream } of stored) {
      const { author, id, digest, type, size, body, bytes } = row;
      insertEntry.run(serial, position, now, size, stream, body, bytes ?? null);
      insertKey.run(serial, author, id, position, digest, now);
      if (type === 'TRANSACTION_JOIN' && author !== '') insertMember.run(author, serial);
    }
    for (const subject of subjects) this.#saveSubject(serial, subject);
    if (stored.length > 0) {
      this.#caretaker.trim(log, now);
      this.#save(log);
      this.#caretaker.forget(log, now);
    }
    return [...outcomes];
  }

  #knownOf(serial: number, rows: AppendWork['rows']): Known {
    const known: Known = { keys: new Map(), subjects: new Map() };
    for (const { author, id } of rows) {
      const place = this.#sql.key.get(serial, author, id) as Place | undefined;
      if (place !== undefined) known.keys.set(onceKey(author, id), place);
    }
    const add = (key: string): SubjectState | undefined => {
      const subject = this.#rows.subject(serial, key);
      if (subject !== undefined) known.subjects.set(key, subject);
      return subject;
    };
    for (const key of subjectKeys(rows)) {
      const inner = add(key)?.inner;
      if (inner !== null && inner !== undefined && !known.subjects.has(inner)) add(inner);
    }
    return known;
  }

  #create({ transaction, starter, referenceId, record, row }: CreateWork, now: number): Creation {
    const epoch = this.#epoch;
    const known = this.#sql.byReference.get(starter, referenceId) as
      | { record: string; endedAt: number | null }
      | undefined;
    if (known !== undefined) return { kind: 'known', epoch, ...known };
    if (this.#rows.log(transaction) !== undefined) return { kind: 'taken' };
    const { lastInsertRowid } = this.#sql.insertTransaction.run(transaction, starter, referenceId, record);
    const serial = Number(lastInsertRowid);
    const { first, last, messages, bytes, frontAt, lastAt, endedAt } = emptyLog();
    this.#sql.insertLog.run(serial, first, last, messages, bytes, frontAt, lastAt, endedAt);
    this.#sql.insertMember.run(starter, serial);
    const [outcome] = this.#append({ transaction, rows: [row], fence: undefined }, now);
    return { kind: 'created', epoch, outcome: outcome as Outcome };
  }

  /** Deletes the pieces of a message that has its end with the whole text. */
  #compact({ transaction, stream: key, start, end }: CompactWork): undefined {
    const log = this.#rows.log(transaction);
    const stream = log && this.#rows.subject(log.serial, key);
    if (log === undefined || stream === undefined || stream.state !== 'whole' || stream.last !== end) return;
    const gone = this.#sql.compact.all(log.serial, start, end, key) as { size: number }[];
    if (gone.length === 0) return;
    stream.entries -= gone.length;
    log.bytes -= gone.reduce((sum, { size }) => sum + size + OVERHEAD, 0);
    this.#saveSubject(log.serial, stream);
    this.#save(log);
  }

  #lease(work: LeaseWork, now: number): Answers['lease'] {
    const log = this.#rows.log(work.transaction);
    const lease = log === undefined ? null : takeLease(log, work, now);
    if (log !== undefined && lease !== null) this.#sql.lease.run(log.holder, log.fence, log.leaseUntil, log.serial);
    return lease;
  }

  #save({ serial, first, last, messages, bytes, frontAt, lastAt, endedAt }: LogRow): void {
    this.#sql.saveLog.run(first, last, messages, bytes, frontAt, lastAt, endedAt, serial);
  }

  #saveSubject(serial: number, { key, owner, state, isStream, inner, last, at, entries }: SubjectState): void {
    this.#sql.saveSubject.run(serial, key, owner, state, isStream ? 1 : 0, inner, last, at, entries);
  }
}

function prepare(db: DatabaseSync) {
  return {
    key: db.prepare('SELECT position, digest FROM keys WHERE serial = ? AND author = ? AND id = ?'),
    insertEntry: db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)'),
    insertKey: db.prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)'),
    insertMember: db.prepare('INSERT INTO members VALUES (?, ?) ON CONFLICT DO NOTHING'),
    saveSubject: db.prepare('INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    saveLog: db.prepare(
      `UPDATE logs SET first = ?, last = ?, messages = ?, bytes = ?, front_at = ?, last_at = ?, ended_at = ?
       WHERE serial = ?`,
    ),
    byReference: db.prepare(
      `SELECT record, ended_at AS endedAt FROM transactions t JOIN logs l ON l.serial = t.serial
       WHERE starter = ? AND reference = ?`,
    ),
    insertTransaction: db.prepare('INSERT INTO transactions (id, starter, reference, record) VALUES (?, ?, ?, ?)'),
    insertLog: db.prepare(
      `INSERT INTO logs (serial, first, last, messages, bytes, front_at, last_at, ended_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    compact: db.prepare(
      'DELETE FROM entries WHERE serial = ? AND position >= ? AND position < ? AND stream = ? RETURNING size',
    ),
    lease: db.prepare('UPDATE logs SET holder = ?, fence = ?, lease_until = ? WHERE serial = ?'),
    saveLease: db.prepare(
      'UPDATE logs SET lease_record = ? WHERE serial = (SELECT serial FROM transactions WHERE id = ?) AND fence = ?',
    ),
    revoke: db.prepare('INSERT INTO revocations (user, at) VALUES (?, ?)'),
    forgetRevoked: db.prepare('DELETE FROM revocations WHERE at <= ?'),
  };
}
