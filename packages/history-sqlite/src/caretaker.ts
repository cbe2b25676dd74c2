// Lets go of what neither the window nor a retry needs any more: entries, once-keys, subjects, and in the end the
// transaction. Works within the writer's commit. Spec: §4.

import type { DatabaseSync } from 'node:sqlite';
import { type LogRow, mayForget, type WindowLimits } from '@haip/history-engine';
import type { LogRows } from './log-rows.ts';

export class Caretaker {
  readonly #rows: LogRows;
  readonly #limits: WindowLimits;
  readonly #dropEntries;
  readonly #keepEntries;
  readonly #dropKeys;
  readonly #dropSubjects;
  readonly #noteTidied;
  readonly #dropAll;
  /** The log looked after last, in the round. */
  #serial = 0;

  constructor(db: DatabaseSync, rows: LogRows, limits: WindowLimits) {
    this.#rows = rows;
    this.#limits = limits;
    this.#dropEntries = db.prepare('DELETE FROM entries WHERE serial = ? AND position < ?');
    this.#keepEntries = db.prepare('UPDATE subjects SET entries = ? WHERE serial = ? AND key = ?');
    // The agent's ids are its server's own, needed while that server may try again: kept as long as the window, the
    // parts of compacted answers would outweigh the log.
    this.#dropKeys = db.prepare("DELETE FROM keys WHERE serial = ? AND at <= ? AND (position < ? OR author = '')");
    this.#dropSubjects = db.prepare(
      "DELETE FROM subjects WHERE serial = ? AND at <= ? AND last < ? AND entries = 0 AND state <> 'open'",
    );
    this.#noteTidied = db.prepare('UPDATE logs SET tidied_at = ? WHERE serial = ?');
    this.#dropAll = ['entries', 'keys', 'subjects', 'members', 'logs', 'transactions'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE serial = ?`),
    );
  }

  /** Trims the window. Writes on `log`, which the caller saves. */
  trim(log: LogRow, now: number): boolean {
    const plan = this.#rows.trimOf(log, this.#limits, now);
    if (plan === undefined) return false;
    const { entriesLeft, ...window } = plan;
    if (plan.first > log.first) this.#dropEntries.run(log.serial, plan.first);
    for (const [{ key }, left] of entriesLeft) this.#keepEntries.run(left, log.serial, key);
    Object.assign(log, window);
    return true;
  }

  /** Forgets ids and subjects that are old enough. Every so often: it looks at all there are of the log. */
  forget(log: LogRow, now: number): void {
    if (!mayForget(log, this.#limits, now)) return;
    const { serial, first } = log;
    const { keyTtlMs } = this.#limits;
    this.#dropKeys.run(serial, now - keyTtlMs, first);
    this.#dropSubjects.run(serial, now - keyTtlMs, first);
    this.#noteTidied.run(now, serial);
  }

  /** The next log in a round, so that those which nobody touches shrink and go in the end; to be saved when given. */
  next(now: number): LogRow | undefined {
    const log = this.#rows.logAfter(this.#serial);
    this.#serial = log?.serial ?? 0;
    if (log === undefined) return undefined;
    if (now - log.lastAt >= this.#limits.recordTtlMs) {
      for (const drop of this.#dropAll) drop.run(log.serial);
      return undefined;
    }
    const isTrimmed = this.trim(log, now);
    this.forget(log, now);
    return isTrimmed ? log : undefined;
  }
}
