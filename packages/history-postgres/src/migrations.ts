// The tables, and how a schema from an earlier version gets them, under a lock that all stores take. A schema from a later
// version is left alone.

import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** Names our locks among those of others: "HAIP". */
export const LOCK_CLASS = 0x48414950;

/**
 * Each brings a schema from the version that is its index to the next one. Never changed once released; only added to.
 *
 * Texts compare byte by byte (`COLLATE "C"`). Rows that are written again and again have room beside them, so that the
 * new version of one needs no new entry in an index.
 */
const migrations: readonly ((s: string) => string)[] = [
  (s) => `
    -- One row: which data these are, and what time it is.
    CREATE TABLE ${s}.meta (
      version integer NOT NULL,
      epoch text NOT NULL,
      timeline text NOT NULL,
      store_at bigint NOT NULL,
      wall_at bigint NOT NULL,
      beat_by text NOT NULL
    );

    -- What outlives the messages, written once.
    CREATE TABLE ${s}.transactions (
      serial bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      starter text COLLATE "C" NOT NULL,
      reference text COLLATE "C" NOT NULL,
      record text NOT NULL,
      UNIQUE (starter, reference)
    );

    -- Where each log stands: a small row, locked and written by every append.
    CREATE TABLE ${s}.logs (
      serial bigint PRIMARY KEY,
      first bigint NOT NULL DEFAULT 1,
      last bigint NOT NULL DEFAULT 0,
      messages bigint NOT NULL DEFAULT 0,
      bytes bigint NOT NULL DEFAULT 0,
      front_at bigint,
      last_at bigint NOT NULL DEFAULT 0,
      tidied_at bigint NOT NULL DEFAULT 0,
      ended_at bigint,
      fence bigint NOT NULL DEFAULT 0,
      holder text,
      lease_until bigint NOT NULL DEFAULT 0,
      lease_record text
    ) WITH (fillfactor = 50);

    CREATE TABLE ${s}.entries (
      serial bigint NOT NULL,
      position bigint NOT NULL,
      at bigint NOT NULL,
      size integer NOT NULL,
      stream text COLLATE "C",
      body text NOT NULL,
      bytes bytea,
      PRIMARY KEY (serial, position)
    );
    -- Audio is compressed already.
    ALTER TABLE ${s}.entries ALTER COLUMN bytes SET STORAGE EXTERNAL;

    CREATE TABLE ${s}.keys (
      serial bigint NOT NULL,
      author text COLLATE "C" NOT NULL,
      id text COLLATE "C" NOT NULL,
      position bigint NOT NULL,
      digest text NOT NULL,
      at bigint NOT NULL,
      PRIMARY KEY (serial, author, id)
    );

    CREATE TABLE ${s}.subjects (
      serial bigint NOT NULL,
      key text COLLATE "C" NOT NULL,
      owner text,
      state text NOT NULL,
      is_stream boolean NOT NULL,
      inner_key text COLLATE "C",
      last bigint NOT NULL,
      at bigint NOT NULL,
      entries bigint NOT NULL,
      PRIMARY KEY (serial, key)
    ) WITH (fillfactor = 50);

    CREATE TABLE ${s}.members (
      member text COLLATE "C" NOT NULL,
      serial bigint NOT NULL,
      PRIMARY KEY (member, serial)
    );
    CREATE INDEX members_of ON ${s}.members (serial);

    CREATE TABLE ${s}.revocations (
      serial bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      revoked text NOT NULL,
      at bigint NOT NULL
    );

    -- Words to other nodes that are too long for a notification. May be lost, so they cost no log of the database.
    CREATE UNLOGGED TABLE ${s}.words (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      body bytea NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    ALTER TABLE ${s}.words ALTER COLUMN body SET STORAGE EXTERNAL;`,
];

const schemaVersion: number = migrations.length;

/** What the row of a new schema says. */
export interface FirstMeta {
  readonly epoch: string;
  readonly timeline: string;
  /** The wall clock, in ms; the store's time begins there. */
  readonly wallAt: number;
}

/**
 * Brings the schema to this version, in one step.
 * @throws Error for a schema of a later version, or one that has tables of something else.
 */
export async function migrate(session: Session, schema: Schema, first: () => FirstMeta): Promise<void> {
  try {
    const found = await look(session, schema);
    if (found.version === schemaVersion) return;
    await session.command('BEGIN ISOLATION LEVEL READ COMMITTED');
    const lock = schema.statement('lock_schema', 'SELECT pg_advisory_xact_lock($1, hashtext($2))');
    await session.run(lock, [LOCK_CLASS, schema.name]);
    // Another store may have been first.
    await bring(session, schema, await look(session, schema), first);
    await session.command('COMMIT');
  } catch (cause) {
    await session.rollback();
    throw isOfOthers(cause) ? new Error(`schema: "${schema.name}" has tables of something else`, { cause }) : cause;
  }
}

interface Found {
  readonly hasSchema: boolean;
  /** 0 without our tables. */
  readonly version: number;
}

async function look(session: Session, schema: Schema): Promise<Found> {
  const { name, quoted } = schema;
  // By the tables themselves: what a session remembers of names may be older than the lock.
  const search = schema.statement(
    'look_for_schema',
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS "hasSchema",
       EXISTS (SELECT FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
         WHERE n.nspname = $1 AND c.relname = 'meta') AS "hasMeta"`,
  );
  const [row] = await session.run<{ hasSchema: boolean; hasMeta: boolean }>(search, [name]);
  if (row?.hasMeta !== true) return { hasSchema: row?.hasSchema === true, version: 0 };
  const [meta] = await session.run<{ version: number }>(
    schema.statement('version', `SELECT version FROM ${quoted}.meta`),
  );
  const version = meta?.version ?? 0;
  if (version > schemaVersion) {
    throw new Error(
      `schema: "${name}" has version ${version}, this version of @haip/history-postgres knows up to ${schemaVersion}: use a later one`,
    );
  }
  return { hasSchema: true, version };
}

async function bring(session: Session, schema: Schema, found: Found, first: () => FirstMeta): Promise<void> {
  const { hasSchema, version } = found;
  const s = schema.quoted;
  if (!hasSchema) await session.command(`CREATE SCHEMA ${s}`);
  for (const migration of migrations.slice(version)) await session.command(migration(s));
  if (version > 0) {
    await session.run(schema.statement('set_version', `UPDATE ${s}.meta SET version = $1`), [schemaVersion]);
    return;
  }
  const { epoch, timeline, wallAt } = first();
  const insert = schema.statement('first_meta', `INSERT INTO ${s}.meta VALUES ($1, $2, $3, $4, $4, '')`);
  await session.run(insert, [schemaVersion, epoch, timeline, wallAt]);
}

/** A table of ours that is there already, or lacks a column. */
function isOfOthers(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === '42P07' || code === '42703';
}
