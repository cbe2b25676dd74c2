// The store on PostgreSQL beside a loop over `pg` that does with one prepared statement, one round trip and one commit
// what keeps a message: its entry, its id, and where its log stands.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { postgresHistory } from '@haip/history-postgres';
import type { Draft } from '@haip/protocol';
import pg from 'pg';
import type { BareLoop, OpenStore } from '../opened-store.ts';

const connectionString = process.env['HAIP_POSTGRES_URL'] || 'postgres://postgres@127.0.0.1:5432/test';

export const open: OpenStore = async (logs) => {
  const schema = `bench_${randomUUID().slice(0, 8)}`;
  const names = { store: `${schema} store`, bare: `${schema} bare` };
  const named = `${connectionString}?application_name=${encodeURIComponent(names.store)}`;
  const options = { windowSize: 1_000_000, maxBytes: 2 ** 30 };
  const store = postgresHistory({ connectionString: named, schema, ...options });
  await store.heads([]);
  const pool = new pg.Pool({ connectionString, pipeline: true, application_name: names.bare } as pg.PoolConfig);
  const [{ version } = { version: '' }] = (await pool.query<{ version: string }>('SELECT version()')).rows;
  return {
    what: version.split(' on ')[0] ?? '',
    store,
    bare: await bareLoop(pool, schema, logs),
    async engineMicros(of) {
      const backends = 'SELECT pid FROM pg_stat_activity WHERE application_name = $1';
      const { rows } = await pool.query<{ pid: number }>(backends, [names[of]]);
      return rows.reduce((sum, { pid }) => sum + microsOf(pid), 0);
    },
    async storedBytes() {
      const { rows } = await pool.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'`,
        [schema],
      );
      return Number(rows[0]?.bytes);
    },
    async end() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${schema}_bare CASCADE`);
      await pool.end();
    },
  };
};

/** CPU of a process, where Linux tells; the kernel counts in hundredths of a second. */
function microsOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return Number.NaN;
  const [user, system] = readFileSync(file, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) * 10_000;
}

/** In tables like those of the store. */
async function bareLoop(pool: pg.Pool, schema: string, logs: number): Promise<BareLoop> {
  const s = `${schema}_bare`;
  await pool.query(`CREATE SCHEMA ${s}; CREATE TABLE ${s}.logs (LIKE ${schema}.logs INCLUDING ALL) WITH (fillfactor = 50);
    CREATE TABLE ${s}.entries (LIKE ${schema}.entries INCLUDING ALL);
    CREATE TABLE ${s}.keys (LIKE ${schema}.keys INCLUDING ALL);
    INSERT INTO ${s}.logs (serial) SELECT generate_series(0, ${logs})`);
  const append = `WITH l AS (
      UPDATE ${s}.logs SET last = last + 1, messages = messages + 1, bytes = bytes + $2 WHERE serial = $1 RETURNING serial, last
    ), e AS (INSERT INTO ${s}.entries (serial, position, at, size, body) SELECT serial, last, 0, $2, $3 FROM l)
    INSERT INTO ${s}.keys SELECT serial, $4, $5, last, $6, 0 FROM l`;
  const fill = `INSERT INTO ${s}.entries (serial, position, at, size, body)
    SELECT $1, n, 0, 0, body FROM json_array_elements_text($2) WITH ORDINALITY AS w (body, n)`;
  const read = `SELECT position, size, body, bytes FROM ${s}.entries WHERE serial = $1 AND position >= $2
    ORDER BY position LIMIT 200`;
  const bodyOf = ({ digest: _, subject: __, ...body }: Draft): string => JSON.stringify(body);
  return {
    async append(log, draft) {
      const values = [log, draft.size, bodyOf(draft), draft.user ?? '', draft.id, draft.digest];
      await pool.query({ name: 'append', text: append, values });
    },
    async fill(drafts) {
      await pool.query(fill, [logs, JSON.stringify(drafts.map(bodyOf))]);
    },
    async read(from) {
      const { rows } = await pool.query<{ body: string }>({ name: 'read', text: read, values: [logs, from] });
      return rows.map(({ body }) => JSON.parse(body)).length;
    },
  };
}
