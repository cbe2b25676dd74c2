// The first half of a commit: locks the logs that works touch, in one order, so that no two stores wait for each other, and
// looks up all that bears on the works, in one round trip. What is found stays true while the locks are held. Spec: §3.

import {
  type CompactWork,
  type CreateWork,
  type Known,
  type LogRow,
  OVERHEAD,
  onceKey,
  type WindowLimits,
  type Work,
} from '@haip/history-engine';
import { fromColumn, toColumn } from './column-text.ts';
import { type Found, referenceKey, wantedFor } from './judge-works.ts';
import { type Front, LogInHand } from './log-in-hand.ts';
import {
  epochSql,
  FEW,
  type FrontEntry,
  frontSql,
  logColumns,
  oneOf,
  type SubjectColumns,
  subjectColumns,
  subjectOf,
} from './log-rows.ts';
import type { Schema } from './schema.ts';
import { ask, type Query, type Session } from './session.ts';

/**
 * Plans by index whatever the statistics say: a group touches few rows of large tables. A store that stands still in the
 * middle of a commit loses its locks after 3 s, and one that waits for a lock that nobody gives back gives up after 5 s.
 */
export const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plan_cache_mode = force_generic_plan;
  SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
  SET LOCAL idle_in_transaction_session_timeout = 3000; SET LOCAL lock_timeout = 5000`;

interface LookedRow extends LogRow {
  readonly id: string;
  readonly epoch: string;
  readonly keys: [author: string, id: string, position: number, digest: string][] | null;
  readonly subjects: SubjectColumns[] | null;
  readonly front: FrontEntry[] | null;
}

interface MadeRow {
  readonly id: string;
  readonly starter: string;
  readonly reference: string;
}

interface KnownRow {
  readonly starter: string;
  readonly reference: string;
  readonly record: string;
  readonly endedAt: number | null;
  readonly epoch: string;
}

export class LogLookup {
  readonly #limits: WindowLimits;
  readonly #sql: ReturnType<typeof statements>;

  constructor(schema: Schema, limits: WindowLimits) {
    this.#limits = limits;
    this.#sql = statements(schema);
  }

  /**
   * Begins a transaction that must be ended.
   *
   * @param works what is asked, `compacts` excepted.
   * @param now ms of the store's time.
   */
  async begin(session: Session, works: readonly Work[], compacts: readonly CompactWork[], now: number): Promise<Found> {
    const creates = works.filter((work) => work.kind === 'create');
    const wanted = wantedFor(works);
    const touched = works.flatMap((work) => ('transaction' in work ? [toColumn(work.transaction)] : []));
    const window = [this.#limits.windowSize, this.#limits.maxBytes, now - this.#limits.windowTimeMs];
    const [, made, , , looked, known] = (await session.all([
      begin,
      ask(this.#sql.make, creates.map(creationOf)),
      ask(this.#sql.lock, [...new Set(touched)]),
      this.compact(compacts),
      ask(this.#sql.look, wanted, ...window),
      ask(this.#sql.known, creates.map(creationOf)),
    ])) as [unknown, MadeRow[], unknown, unknown, LookedRow[], KnownRow[]];
    const adds = new Map(wanted.map(({ id, adds }) => [id, adds]));
    return {
      epoch: looked[0]?.epoch ?? known[0]?.epoch ?? '',
      logs: new Map(looked.map((row) => [fromColumn(row.id), logOf(row, FEW + (adds.get(row.id) ?? 0))])),
      made: new Map(made.map((row) => [keyOf(row), fromColumn(row.id)])),
      known: new Map(known.map((row) => [keyOf(row), row])),
    };
  }

  /** Reads on in the fronts of logs, and trims their windows. They must be locked. */
  async trim(session: Session, logs: readonly LogInHand[], now: number): Promise<void> {
    let untrimmed = logs.filter((log) => !log.trim(this.#limits, now));
    while (untrimmed.length > 0) {
      const wanted = untrimmed.map(({ row: { serial }, front }) => ({ serial, few: front.few * 4 }));
      const rows = await session.run<{ serial: number } & Front>(this.#sql.fronts, [JSON.stringify(wanted)]);
      const fronts = new Map(rows.map(({ serial, ...front }) => [serial, front]));
      for (const log of untrimmed) log.front = fronts.get(log.row.serial) as Front;
      untrimmed = untrimmed.filter((log) => !log.trim(this.#limits, now));
    }
  }

  /** Deletes the pieces of messages that have their end with the whole text, and says so in the rows of their logs. */
  compact(works: readonly CompactWork[]): Query | undefined {
    const rows = works.map(({ transaction, stream, start, end }) => {
      return { id: toColumn(transaction), stream: toColumn(stream), start, last: end };
    });
    return ask(this.#sql.compact, rows, OVERHEAD);
  }
}

function creationOf({ transaction, starter, referenceId, record }: CreateWork, n: number): object {
  return { n, id: toColumn(transaction), starter: toColumn(starter), reference: toColumn(referenceId), record };
}

function keyOf({ starter, reference }: MadeRow | KnownRow): string {
  return referenceKey(fromColumn(starter), fromColumn(reference));
}

function logOf({ id: _, epoch: __, keys, subjects, front, ...row }: LookedRow, few: number): LogInHand {
  const known: Known = { keys: new Map(), subjects: new Map() };
  for (const [author, id, position, digest] of keys ?? []) {
    known.keys.set(onceKey(fromColumn(author), fromColumn(id)), { position, digest: fromColumn(digest) });
  }
  for (const subject of (subjects ?? []).map(subjectOf)) known.subjects.set(subject.key, subject);
  return new LogInHand(row, known, { entries: front, few });
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    // Who waits here for another one's creation under the same reference finds it afterwards.
    make: schema.statement(
      'make',
      `WITH t AS (
         INSERT INTO ${s}.transactions (id, starter, reference, record) SELECT id, starter, reference, record
         FROM json_to_recordset($1) AS w (n integer, id text, starter text, reference text, record text)
         ORDER BY starter, reference, n
         ON CONFLICT DO NOTHING RETURNING serial, id, starter, reference
       ), l AS (INSERT INTO ${s}.logs (serial) SELECT serial FROM t)
       SELECT id, starter, reference FROM t`,
    ),
    known: schema.statement(
      'known',
      `SELECT t.starter, t.reference, t.record, l.ended_at AS "endedAt", ${epochSql(s)} AS epoch
       FROM json_to_recordset($1) AS w (starter text, reference text)
       JOIN ${s}.transactions t ON t.starter = w.starter AND t.reference = w.reference
       JOIN ${s}.logs l ON l.serial = t.serial`,
    ),
    lock: schema.statement(
      'lock',
      `SELECT FROM json_array_elements_text($1) AS w (id)
       JOIN ${s}.transactions t ON t.id = w.id JOIN ${s}.logs l ON l.serial = t.serial ORDER BY l.serial FOR UPDATE OF l`,
    ),
    compact: schema.statement(
      'compact',
      `WITH gone AS (
         DELETE FROM ${s}.entries e
         USING json_to_recordset($1) AS w (id text, stream text, start bigint, last bigint), ${s}.transactions t, ${s}.subjects s
         WHERE t.id = w.id AND s.serial = t.serial AND s.key = w.stream AND s.state = 'whole' AND s.last = w.last
           AND e.serial = t.serial AND e.stream = w.stream AND e.position >= w.start AND e.position < w.last
         RETURNING e.serial, e.stream, e.size
       ), sums AS (
         SELECT serial, stream, count(*) AS entries, sum(size + $2::integer) AS bytes FROM gone GROUP BY serial, stream
       ), streams AS (
         UPDATE ${s}.subjects s SET entries = s.entries - sums.entries FROM sums
         WHERE s.serial = sums.serial AND s.key = sums.stream
       )
       UPDATE ${s}.logs l SET bytes = l.bytes - g.bytes
       FROM (SELECT serial, sum(bytes) AS bytes FROM sums GROUP BY serial) g WHERE l.serial = g.serial`,
    ),
    // A statement of its own after the lock: only what begins once the lock is held sees what its last holder wrote.
    look: schema.statement(
      'look',
      `SELECT w.id, ${epochSql(s)} AS epoch, ${logColumns},
         (SELECT json_agg(json_build_array(k.author, k.id, k.position, k.digest))
          FROM json_to_recordset(w.keys) AS x (author text, id text) CROSS JOIN
          ${oneOf(`${s}.keys`, 'serial = l.serial AND author = x.author AND id = x.id')} k) AS keys,
         (SELECT json_agg(json_build_array(${subjectColumns}))
          FROM json_array_elements_text(w.subjects) AS x (key) CROSS JOIN
          ${oneOf(`${s}.subjects`, 'serial = l.serial AND key = x.key')} o CROSS JOIN LATERAL (
            SELECT o.* UNION ALL
            SELECT i.* FROM ${oneOf(`${s}.subjects`, 'serial = l.serial AND key = o.inner_key')} i
          ) s) AS subjects,
         CASE WHEN l.messages + w.adds > $2 OR l.bytes + w.grows > $3 OR l.front_at <= $4
           THEN ${frontSql(s, `${FEW} + w.adds`)} END AS front
       FROM json_to_recordset($1) AS w (id text, keys json, subjects json, adds integer, grows bigint)
       JOIN ${s}.transactions t ON t.id = w.id JOIN ${s}.logs l ON l.serial = t.serial`,
    ),
    fronts: schema.statement(
      'fronts',
      `SELECT l.serial, w.few, ${frontSql(s, 'w.few')} AS entries
       FROM json_to_recordset($1) AS w (serial bigint, few integer) JOIN ${s}.logs l ON l.serial = w.serial`,
    ),
  };
}
