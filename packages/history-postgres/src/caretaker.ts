// Lets go of what neither a window nor a retry needs any more, in logs that nobody touches: log after log, a few at a time,
// and in the end the transaction. Leaves alone what somebody else has locked, so it waits for nobody. Spec: §4.

import { type LogRow, mayForget, mayTrim, REVOKED_FOR_MS, type WindowLimits } from '@haip/history-engine';
import { LogChanges } from './log-changes.ts';
import { LogInHand } from './log-in-hand.ts';
import { begin, LogLookup } from './log-lookup.ts';
import { FEW, type FrontEntry, frontSql, logColumns } from './log-rows.ts';
import type { Schema } from './schema.ts';
import { ask, type Session } from './session.ts';

/** So many logs are looked at in one round. */
const ROUND = 200;

export class Caretaker {
  readonly #limits: WindowLimits;
  readonly #lookup: LogLookup;
  readonly #changes: LogChanges;
  readonly #sql: ReturnType<typeof statements>;
  /** The log looked after last. */
  #serial = 0;

  constructor(schema: Schema, limits: WindowLimits) {
    this.#limits = limits;
    this.#lookup = new LogLookup(schema, limits);
    this.#changes = new LogChanges(schema);
    this.#sql = statements(schema);
  }

  /** Looks after the next logs. @param now ms of the store's time. */
  async round(session: Session, now: number): Promise<void> {
    await session.run(this.#sql.forgetWords);
    await session.run(this.#sql.forgetRevoked, [now - REVOKED_FOR_MS]);
    const rows = await session.run<LogRow>(this.#sql.next, [this.#serial, ROUND]);
    const due = rows.filter(
      (log) => this.#isOver(log, now) || mayTrim(log, this.#limits, now) || mayForget(log, this.#limits, now),
    );
    // Before they are looked after: those that cannot be, for whatever reason, do not hold up the others.
    this.#serial = rows.length < ROUND ? 0 : (rows.at(-1)?.serial ?? 0);
    if (due.length === 0) return;
    await this.#lookAfter(
      session,
      due.map(({ serial }) => serial),
      now,
    );
  }

  #isOver({ lastAt }: LogRow, now: number): boolean {
    return now - lastAt >= this.#limits.recordTtlMs;
  }

  async #lookAfter(session: Session, serials: readonly number[], now: number): Promise<void> {
    const [, locked] = await session.all([begin, { statement: this.#sql.lock, values: [JSON.stringify(serials)] }]);
    const found = await session.run<LogRow & { front: FrontEntry[] }>(this.#sql.look, [JSON.stringify(locked)]);
    const over = found.filter((log) => this.#isOver(log, now)).map(({ serial }) => serial);
    const logs = found
      .filter((log) => !this.#isOver(log, now))
      .map(({ front, ...row }) => {
        return new LogInHand(row, { keys: new Map(), subjects: new Map() }, { entries: front, few: FEW });
      });
    await this.#lookup.trim(session, logs, now);
    for (const log of logs) log.tidy(this.#limits, now);
    await session.all([
      ...this.#changes.queries(logs, now, now - this.#limits.keyTtlMs),
      ...this.#sql.drop.map((statement) => ask(statement, over)),
      'COMMIT',
    ]);
  }
}

function statements(schema: Schema) {
  const s = schema.quoted;
  const tables = ['entries', 'keys', 'subjects', 'members', 'logs', 'transactions'];
  return {
    next: schema.statement(
      'next',
      `SELECT ${logColumns} FROM ${s}.logs l WHERE l.serial > $1 ORDER BY l.serial LIMIT $2`,
    ),
    lock: schema.statement(
      'lock_idle',
      `SELECT l.serial FROM json_array_elements_text($1) AS w (serial) JOIN ${s}.logs l ON l.serial = w.serial::bigint
       ORDER BY l.serial FOR UPDATE OF l SKIP LOCKED`,
    ),
    look: schema.statement(
      'look_idle',
      `SELECT ${logColumns}, ${frontSql(s, String(FEW))} AS front
       FROM json_to_recordset($1) AS w (serial bigint) JOIN ${s}.logs l ON l.serial = w.serial`,
    ),
    drop: tables.map((table) =>
      schema.statement(
        `drop_${table}`,
        `DELETE FROM ${s}.${table} d USING json_array_elements_text($1) AS w (serial) WHERE d.serial = w.serial::bigint`,
      ),
    ),
    forgetWords: schema.statement(
      'forget_words',
      `DELETE FROM ${s}.words WHERE id IN (
         SELECT id FROM ${s}.words WHERE at < clock_timestamp() - interval '1 minute' FOR UPDATE SKIP LOCKED)`,
    ),
    // The newest stays: its serial is where the list ends.
    forgetRevoked: schema.statement(
      'forget_revoked',
      `DELETE FROM ${s}.revocations WHERE serial IN (
         SELECT serial FROM ${s}.revocations WHERE at <= $1 AND serial < (SELECT max(serial) FROM ${s}.revocations)
         FOR UPDATE SKIP LOCKED)`,
    ),
  };
}
