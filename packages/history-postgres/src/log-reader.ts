// Answers what is asked of the log. Each answer is one statement, so it is of one moment and costs one round trip. Never
// writes: what ran out of its time is left out here and deleted later. Spec: §4.

import {
  type EntryRow,
  emptyLog,
  entryOf,
  LIST_PAGE,
  type Place,
  pageOf,
  placeOf,
  REVOKED_FOR_MS,
  readPlace,
  recordOf,
  type WindowLimits,
} from '@haip/history-engine';
import type { Head, Heads, HistoryPage, HistoryRange, TransactionPage, TransactionRecord } from '@haip/protocol';
import { fromColumn, toColumn } from './column-text.ts';
import type { Database } from './database.ts';
import { epochSql, FEW, type FrontEntry, frontSql, trimOf } from './log-rows.ts';
import type { Schema } from './schema.ts';
import type { StoreTime } from './store-time.ts';

interface RecordRow {
  readonly serial: number;
  readonly record: string;
  readonly endedAt: number | null;
}

/** Where a log stands, and the front of its window when something may have to go from it. */
type HeadColumns = [
  first: number,
  last: number,
  messages: number,
  bytes: number,
  frontAt: number | null,
  endedAt: number | null,
  front: FrontEntry[] | null,
];

interface HeadsRow {
  readonly epoch: string;
  readonly heads: (HeadColumns | null)[] | null;
  readonly newest: number;
  readonly revoked: [user: string, at: number][] | null;
}

/** An entry; or, at position 0, the log itself. */
interface PageRow extends EntryRow {
  readonly head: [epoch: string, ...HeadColumns] | null;
}

export class LogReader {
  readonly #database: Database;
  readonly #limits: WindowLimits;
  readonly #time: StoreTime;
  readonly #schema: Schema;
  readonly #sql: ReturnType<typeof statements>;
  readonly #sqlByFew = new Map<number, ReturnType<typeof statementsFor>>();

  constructor(database: Database, schema: Schema, limits: WindowLimits, time: StoreTime) {
    this.#database = database;
    this.#limits = limits;
    this.#time = time;
    this.#schema = schema;
    this.#sql = statements(schema);
  }

  async get(transaction: string): Promise<TransactionRecord | null> {
    const values = [toColumn(transaction)];
    const [row] = await this.#database.use((session) => session.run<RecordRow>(this.#sql.get, values));
    return row === undefined ? null : recordOf(row.record, row.endedAt);
  }

  /** @param after the `next` of the page before; anything else has no page. */
  async list(user: string, after?: string): Promise<TransactionPage> {
    const below = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
    if (!Number.isSafeInteger(below)) return { transactions: [] };
    const values = [toColumn(user), below, LIST_PAGE + 1];
    return pageOf(await this.#database.use((session) => session.run<RecordRow>(this.#sql.list, values)));
  }

  async find(transaction: string, user: string, id: string): Promise<Place | null> {
    const values = [toColumn(transaction), toColumn(user), toColumn(id)];
    const [place] = await this.#database.use((session) => session.run<Place>(this.#sql.find, values));
    return place === undefined ? null : { position: place.position, digest: fromColumn(place.digest) };
  }

  async read(transaction: string, range: HistoryRange): Promise<HistoryPage | null> {
    const { to = Number.MAX_SAFE_INTEGER, maxEntries = 200, maxBytes = 524_288 } = range;
    for (let [few, from] = [FEW, range.from]; ; ) {
      const [head, entries] = await this.#page(toColumn(transaction), few, [from, to, maxEntries, maxBytes]);
      if (head === undefined) return null;
      if (head === 'more') few *= 4;
      // The page began with what ran out of its time, and may have room for more now.
      else if (head.first > from && entries[0] !== undefined && entries[0].position < head.first) from = head.first;
      else return { ...head, entries: entries.map(entryOf) };
    }
  }

  async head(transaction: string): Promise<Head | null> {
    return (await this.heads([transaction])).heads[0] ?? null;
  }

  async heads(transactions: readonly string[], since?: string): Promise<Heads> {
    for (let few = FEW; ; few *= 4) {
      const row = await this.#headsRow(transactions, since, few);
      const heads = (row.heads ?? []).map((head) => head && this.#headOf(row.epoch, head, few));
      if (heads.includes('more')) continue;
      const now = this.#time.now();
      return {
        heads: heads as (Head | null)[],
        revoked: (row.revoked ?? []).map(([user, at]) => ({ user: fromColumn(user), agoMs: Math.max(0, now - at) })),
        place: placeOf(row.epoch, row.newest),
      };
    }
  }

  async #page(
    transaction: string,
    few: number,
    range: readonly number[],
  ): Promise<[head: Head | 'more' | undefined, entries: PageRow[]]> {
    const rows = await this.#database.use((session) => {
      return session.run<PageRow>(this.#sqlOf(few).read, [transaction, ...this.#window(), ...range]);
    });
    rows.sort((one, other) => one.position - other.position);
    const [log, ...entries] = rows;
    if (!log?.head) return [undefined, []];
    const [epoch, ...head] = log.head;
    return [this.#headOf(epoch, head, few), entries];
  }

  async #headsRow(transactions: readonly string[], since: string | undefined, few: number): Promise<HeadsRow> {
    const ids = JSON.stringify(transactions.map(toColumn));
    const place = since === undefined ? undefined : (readPlace(since) ?? { epoch: '', serial: 0 });
    const revoked = [place?.epoch ?? null, place?.serial ?? 0, this.#time.now() - REVOKED_FOR_MS];
    const rows = await this.#database.use((session) => {
      return session.run<HeadsRow>(this.#sqlOf(few).heads, [ids, ...this.#window(), ...revoked]);
    });
    return rows[0] as HeadsRow;
  }

  /** What the front of a window is looked at for. */
  #window(): number[] {
    const { windowSize, maxBytes, windowTimeMs } = this.#limits;
    return [windowSize, maxBytes, this.#time.now() - windowTimeMs];
  }

  #sqlOf(few: number): ReturnType<typeof statementsFor> {
    const known = this.#sqlByFew.get(few) ?? statementsFor(this.#schema, few);
    this.#sqlByFew.set(few, known);
    return known;
  }

  #headOf(epoch: string, columns: HeadColumns, few: number): Head | 'more' {
    const [first, last, messages, bytes, frontAt, endedAt, front] = columns;
    const log = { ...emptyLog(), first, last, messages, bytes, frontAt, endedAt };
    const plan = trimOf(log, this.#limits, this.#time.now(), front, few);
    return plan === 'more' ? plan : { epoch, first: plan?.first ?? first, last };
  }
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    get: schema.statement(
      'get',
      `SELECT t.serial, t.record, l.ended_at AS "endedAt"
       FROM ${s}.transactions t JOIN ${s}.logs l USING (serial) WHERE t.id = $1`,
    ),
    list: schema.statement(
      'list',
      `SELECT m.serial, t.record, l.ended_at AS "endedAt"
       FROM ${s}.members m JOIN ${s}.transactions t USING (serial) JOIN ${s}.logs l USING (serial)
       WHERE m.member = $1 AND m.serial < $2 ORDER BY m.serial DESC LIMIT $3`,
    ),
    find: schema.statement(
      'find',
      `SELECT k.position, k.digest FROM ${s}.transactions t JOIN ${s}.keys k USING (serial)
       WHERE t.id = $1 AND k.author = $2 AND k.id = $3`,
    ),
  };
}

/**
 * Those that look at the front of windows, at so many entries of it. The number is part of the text: of a bound one
 * PostgreSQL would guess a tenth of the log, and above a cost of 100,000 compile the plan, 45 ms each time.
 */
function statementsFor(schema: Schema, few: number) {
  const s = schema.quoted;
  const front = `CASE WHEN l.messages > $2 OR l.bytes > $3 OR l.front_at <= $4 THEN ${frontSql(s, String(few))} END`;
  const epoch = epochSql(s);
  const head = `l.first, l.last, l.messages, l.bytes, l.front_at, l.ended_at, ${front}`;
  return {
    // What follows the entry that reaches the bytes is not given. A body is looked at only where it is.
    read: schema.statement(
      `read_${few}`,
      `WITH l AS MATERIALIZED (
         SELECT l.* FROM ${s}.transactions t JOIN ${s}.logs l USING (serial) WHERE t.id = $1
       )
       SELECT 0::bigint AS position, 0 AS size, '' AS body, NULL::bytea AS bytes, json_build_array(${epoch}, ${head}) AS head
       FROM l
       UNION ALL
       SELECT e.position, e.size, e.body, e.bytes, NULL
       FROM l CROSS JOIN LATERAL (
         SELECT *, sum(size) OVER (ORDER BY position) - size AS before FROM (
           SELECT position, size, body, bytes FROM ${s}.entries
           WHERE serial = l.serial AND position >= greatest($5, l.first) AND position <= $6
           ORDER BY position LIMIT $7
         ) page
       ) e WHERE e.before < $8`,
    ),
    heads: schema.statement(
      `heads_${few}`,
      `SELECT d.epoch, d.newest,
         (SELECT json_agg(CASE WHEN l.serial IS NOT NULL THEN json_build_array(${head}) END ORDER BY w.n)
          FROM json_array_elements_text($1) WITH ORDINALITY w (id, n)
          LEFT JOIN LATERAL (
            SELECT l.* FROM ${s}.transactions t JOIN ${s}.logs l USING (serial) WHERE t.id = w.id OFFSET 0
          ) l ON true) AS heads,
         CASE WHEN $5::text IS NOT NULL THEN (
           SELECT json_agg(json_build_array(r.revoked, r.at) ORDER BY r.serial) FROM ${s}.revocations r
           WHERE r.serial > CASE WHEN $5 = d.epoch AND $6 <= d.newest THEN $6 ELSE 0 END AND r.at > $7) END AS revoked
       FROM (SELECT ${epoch} AS epoch, (SELECT coalesce(max(serial), 0) FROM ${s}.revocations) AS newest) d`,
    ),
  };
}
