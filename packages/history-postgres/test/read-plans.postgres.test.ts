// How PostgreSQL goes about what the store reads: by index whether or not it knows the values, and below the cost at which
// it compiles plans. Over tables that have enough rows for it to choose.

import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { PostgresClient, PostgresPool } from '../src/index.ts';
import { postgresHistory } from '../src/index.ts';
import { connectTo, sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Total Cost': number;
  readonly Plans?: readonly Plan[];
}

/** A pool that notes what is asked, under the names of the statements. */
function notingPool(asked: Map<string, Asked>): PostgresPool & pg.Pool {
  const pool = new pg.Pool({ connectionString: url, pipeline: true } as pg.PoolConfig);
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as PostgresClient['query'];
    Object.assign(client, {
      query(one: Parameters<PostgresClient['query']>[0]) {
        if (one.name !== undefined) asked.set(one.name, { text: one.text, values: one.values ?? [] });
        return query(one);
      },
    });
  });
  return pool;
}

function nodesOf(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The plan with these values in hand, and the one for any. */
async function plansOf(client: pg.Client, { text, values }: Asked): Promise<Plan[]> {
  const literal = (value: unknown): string => (value === null ? 'NULL' : client.escapeLiteral(String(value)));
  const plans: Plan[] = [];
  await client.query(`PREPARE asked AS ${text}`);
  for (const mode of ['force_custom_plan', 'force_generic_plan']) {
    await client.query(`SET plan_cache_mode = ${mode}`);
    const explain = `EXPLAIN (FORMAT JSON) EXECUTE asked (${values.map(literal).join(', ')})`;
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain);
    plans.push((rows[0] as (typeof rows)[0])['QUERY PLAN'][0].Plan);
  }
  await client.query('DEALLOCATE asked');
  return plans;
}

/** The tables that a plan reads from the first row to the last. */
function readWhole(plan: Plan): (string | undefined)[] {
  return nodesOf(plan).flatMap((node) => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name']] : []));
}

const TRANSACTIONS = 2000;

test('what is read of a large history is looked up by index, and never costs as much as a plan that is compiled', async () => {
  const schema = nextSchema();
  const asked = new Map<string, Asked>();
  const pool = notingPool(asked);
  const store = postgresHistory({ pool, schema, windowSize: 3000, maxBytes: 2 ** 30 });
  const client = await connectTo(url);
  onTestFinished(async () => {
    await store.close();
    await pool.end();
    await client.end();
  });
  const names = Array.from({ length: TRANSACTIONS }, (_, i) => `chat-${i}`);
  await Promise.all(
    names.map(async (name) => {
      const record = recordOf(name);
      await store.create(record, startOf(record));
      await store.append(
        name,
        Array.from({ length: 10 }, () => draft()),
      );
    }),
  );
  const known = draft();
  await store.append('chat-7', [known, ...Array.from({ length: 2900 }, () => draft())]);
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.revoke(`user-${i}`)));
  const { place } = await store.heads([]);
  await sql(`ANALYZE ${['transactions', 'logs', 'entries', 'keys', 'members'].map((table) => `${schema}.${table}`)}`);

  asked.clear();
  expect(await store.get('chat-7')).not.toBeNull();
  expect((await store.list('ann')).transactions).toHaveLength(50);
  expect(await store.find('chat-7', 'ann', known.id)).not.toBeNull();
  expect((await store.read('chat-7', { from: 1000 }))?.entries).toHaveLength(200);
  expect((await store.heads(names.slice(0, 100), place)).heads).toHaveLength(100);
  const kinds = [...asked.keys()].map((name) => name.replace(`haip_${schema}_`, '')).sort();
  expect(kinds).toEqual(['find', 'get', 'heads_16', 'list', 'read_16']);

  for (const [name, one] of asked) {
    for (const plan of await plansOf(client, one)) {
      // One row.
      expect(
        readWhole(plan).filter((table) => table !== 'meta'),
        name,
      ).toEqual([]);
      expect(plan['Total Cost'], name).toBeLessThan(100_000);
    }
  }
  const [byNoIndex] = await plansOf(client, { text: `SELECT FROM ${schema}.keys WHERE digest = $1`, values: ['x'] });
  expect(byNoIndex && readWhole(byNoIndex)).toEqual(['keys']);
});
