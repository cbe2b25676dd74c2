// PostgreSQL at HAIP_POSTGRES_URL, or the local one: `@haip/history-postgres`, and a loop over `pg` that does with one
// prepared statement, one round trip and one commit what keeps a message: its entry, its id, and where its log stands.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { postgresHistory } from '@haip/history-postgres';
import pg from 'pg';
import type { OpenStore } from './contract.ts';
import { message } from './messages.ts';

const connectionString = process.env['HAIP_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test';

/** CPU of a process, where Linux tells; the kernel counts in hundredths of a second. */
function microsOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return Number.NaN;
  const [user, system] = readFileSync(file, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) * 10_000;
}

export const open: OpenStore = async () => {
  const schema = `bench_${randomUUID().slice(0, 8)}`;
  const [ours, theirs] = [`${schema} store`, `${schema} bare`];
  const options = { windowSize: 1_000_000, maxBytes: 2 ** 30 };
  const named = `${connectionString}?application_name=${encodeURIComponent(ours)}`;
  const store = postgresHistory({ connectionString: named, schema, ...options });
  const pool = new pg.Pool({ connectionString, pipeline: true, application_name: theirs } as pg.PoolConfig);
  const micros = async (name: string): Promise<number> => {
    const { rows } = await pool.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE application_name = $1', [
      name,
    ]);
    return rows.reduce((sum, { pid }) => sum + microsOf(pid), 0);
  };
  await store.heads([]);
  const s = `${schema}_bare`;
  await pool.query(`CREATE SCHEMA ${s}; CREATE TABLE ${s}.logs (LIKE ${schema}.logs INCLUDING ALL) WITH (fillfactor = 50);
    CREATE TABLE ${s}.entries (LIKE ${schema}.entries INCLUDING ALL);
    CREATE TABLE ${s}.keys (LIKE ${schema}.keys INCLUDING ALL);
    INSERT INTO ${s}.logs (serial) SELECT generate_series(0, 999)`);
  const append = `WITH l AS (UPDATE ${s}.logs SET last = last + 1, messages = messages + 1, bytes = bytes + $2 WHERE serial = $1
      RETURNING serial, last),
    e AS (INSERT INTO ${s}.entries (serial, position, at, size, body) SELECT serial, last, 0, $2, $3 FROM l)
    INSERT INTO ${s}.keys SELECT serial, $4, $5, last, $6, 0 FROM l`;
  const read = `SELECT position, size, body, bytes FROM ${schema}.entries WHERE position >= $1 AND serial =
    (SELECT serial FROM ${schema}.transactions WHERE id = 'long') ORDER BY position LIMIT 200`;
  const [{ version } = { version: '' }] = (await pool.query<{ version: string }>('SELECT version()')).rows;
  return {
    what: version.split(' on ')[0] ?? '',
    store,
    bare: {
      async append(worker) {
        const { id, user, digest, size, ...body } = message();
        const values = [worker, size, JSON.stringify({ id, user, ...body }), user, id, digest];
        await pool.query({ name: 'append', text: append, values });
      },
      async read(from) {
        const { rows } = await pool.query<{ body: string }>({ name: 'read', text: read, values: [from] });
        return rows.map(({ body }) => JSON.parse(body)).length;
      },
    },
    engineMicros: () => micros(ours),
    bareEngineMicros: () => micros(theirs),
    async storedBytes() {
      const { rows } = await pool.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'`,
        [schema],
      );
      return Number(rows[0]?.bytes);
    },
    async end() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${s} CASCADE`);
      await pool.end();
    },
  };
};
