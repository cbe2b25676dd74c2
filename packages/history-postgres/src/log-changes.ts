// Writes what became of logs in a commit: one statement for any number of logs and entries, and one for each thing that
// is rare. Rows go as one JSON document, bytes beside it as they are.

import type { SubjectState } from '@haip/history-engine';
import { toColumn } from './column-text.ts';
import type { LogInHand } from './log-in-hand.ts';
import type { Schema } from './schema.ts';
import { ask, type Query } from './session.ts';

export class LogChanges {
  readonly #sql: ReturnType<typeof statements>;

  constructor(schema: Schema) {
    this.#sql = statements(schema);
  }

  /**
   * @param now ms of the store's time.
   * @param oldAt what is from then or earlier may be forgotten, in ms of the store's time.
   */
  queries(logs: readonly LogInHand[], now: number, oldAt: number): (Query | undefined)[] {
    const sql = this.#sql;
    const changed = logs.filter(({ isChanged }) => isChanged);
    if (changed.length === 0) return [];
    const forgetful = changed.filter(({ forgets }) => forgets).map(({ row: { serial, first } }) => ({ serial, first }));
    const { entries, bytes } = entriesOf(changed);
    const texts = [entries, changed.flatMap(subjectsOf), changed.map(columnsOf)].map((rows) => JSON.stringify(rows));
    return [
      ask(sql.trim, changed.filter(isTrimmed).map(trimmedRange)),
      { statement: sql.write, values: [...texts, now, bytes] },
      ask(sql.insertMembers, changed.flatMap(membersOf)),
      ask(sql.forgetKeys, forgetful, oldAt),
      ask(sql.forgetSubjects, forgetful, oldAt),
    ];
  }
}

/** What was stored as rows, and all bytes of it in one. */
function entriesOf(logs: readonly LogInHand[]): { entries: object[]; bytes: Buffer } {
  const all: Uint8Array[] = [];
  let end = 0;
  const entries = logs.flatMap(({ row: { serial, first }, stored }) =>
    stored.map(({ position, row, stream }) => {
      const { author, id, digest, size, body, bytes } = row;
      const key = { serial, position, author: toColumn(author), id: toColumn(id), digest: toColumn(digest) };
      // A window that is too small for what came has let go of some of it already: of that only the id is kept.
      if (position < first) return key;
      const entry = { ...key, size, body, stream: stream && toColumn(stream) };
      if (bytes === undefined) return entry;
      all.push(bytes);
      end += bytes.length;
      return { ...entry, begin: end - bytes.length + 1, length: bytes.length };
    }),
  );
  return { entries, bytes: Buffer.concat(all, end) };
}

function isTrimmed({ row, firstBefore }: LogInHand): boolean {
  return row.first > firstBefore;
}

function trimmedRange({ row, firstBefore }: LogInHand): object {
  return { serial: row.serial, first: row.first, before: firstBefore };
}

function subjectsOf({ row: { serial }, subjects }: LogInHand): object[] {
  return [...subjects].map(({ key, owner, inner, isStream, ...rest }: SubjectState) => {
    const columns = { owner: owner && toColumn(owner), inner_key: inner && toColumn(inner), is_stream: isStream };
    return { serial, key: toColumn(key), ...columns, ...rest };
  });
}

function membersOf({ row: { serial }, members }: LogInHand): object[] {
  return members.map((member) => ({ member: toColumn(member), serial }));
}

function columnsOf({ row }: LogInHand): object {
  const { serial, first, last, messages, bytes, fence } = row;
  return {
    ...{ serial, first, last, messages, bytes, fence },
    front_at: row.frontAt,
    last_at: row.lastAt,
    tidied_at: row.tidiedAt,
    ended_at: row.endedAt,
    holder: row.holder && toColumn(row.holder),
    lease_until: row.leaseUntil,
    lease_record: row.leaseRecord,
  };
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    trim: schema.statement(
      'trim',
      `DELETE FROM ${s}.entries e USING json_to_recordset($1) AS w (serial bigint, first bigint, before bigint)
       WHERE e.serial = w.serial AND e.position >= w.before AND e.position < w.first`,
    ),
    write: schema.statement(
      'write',
      `WITH stored AS MATERIALIZED (
         SELECT * FROM json_to_recordset($1) AS w (serial bigint, position bigint, author text, id text, digest text,
           size integer, body text, stream text, begin integer, length integer)
       ), entries AS (
         INSERT INTO ${s}.entries (serial, position, at, size, stream, body, bytes)
         SELECT serial, position, $4, size, stream, body, substring($5::bytea FROM begin FOR length)
         FROM stored WHERE body IS NOT NULL
       ), keys AS (
         INSERT INTO ${s}.keys (serial, author, id, position, digest, at)
         SELECT serial, author, id, position, digest, $4 FROM stored
       ), subjects AS (
         INSERT INTO ${s}.subjects (serial, key, owner, state, is_stream, inner_key, last, at, entries)
         SELECT serial, key, owner, state, is_stream, inner_key, last, at, entries
         FROM json_to_recordset($2) AS w (serial bigint, key text, owner text, state text, is_stream boolean,
           inner_key text, last bigint, at bigint, entries bigint)
         ON CONFLICT (serial, key) DO UPDATE SET state = excluded.state, inner_key = excluded.inner_key,
           last = excluded.last, at = excluded.at, entries = excluded.entries
       )
       UPDATE ${s}.logs l SET first = w.first, last = w.last, messages = w.messages, bytes = w.bytes, front_at = w.front_at,
         last_at = w.last_at, tidied_at = w.tidied_at, ended_at = w.ended_at, fence = w.fence, holder = w.holder,
         lease_until = w.lease_until, lease_record = w.lease_record
       FROM json_to_recordset($3) AS w (serial bigint, first bigint, last bigint, messages bigint, bytes bigint,
         front_at bigint, last_at bigint, tidied_at bigint, ended_at bigint, fence bigint, holder text,
         lease_until bigint, lease_record text)
       WHERE l.serial = w.serial`,
    ),
    insertMembers: schema.statement(
      'insert_members',
      `INSERT INTO ${s}.members (member, serial)
       SELECT member, serial FROM json_to_recordset($1) AS w (member text, serial bigint) ON CONFLICT DO NOTHING`,
    ),
    // The agent's ids are its server's own, needed while that server may try again: kept as long as the window, the
    // parts of compacted answers would outweigh the log.
    forgetKeys: schema.statement(
      'forget_keys',
      `DELETE FROM ${s}.keys k USING json_to_recordset($1) AS w (serial bigint, first bigint)
       WHERE k.serial = w.serial AND k.at <= $2 AND (k.position < w.first OR k.author = '')`,
    ),
    forgetSubjects: schema.statement(
      'forget_subjects',
      `DELETE FROM ${s}.subjects s USING json_to_recordset($1) AS w (serial bigint, first bigint)
       WHERE s.serial = w.serial AND s.at <= $2 AND s.last < w.first AND s.entries = 0 AND s.state <> 'open'`,
    ),
  };
}
