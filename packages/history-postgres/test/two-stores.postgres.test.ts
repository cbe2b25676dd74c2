// Several stores on one schema, as several servers have them: who writes when, who hears of what.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { bodyDigest, type HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type PostgresPool, postgresHistory } from '../src/index.ts';
import { begin } from '../src/log-lookup.ts';
import { LOCK_CLASS } from '../src/migrations.ts';
import { connectTo, sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();
const wide = { windowSize: 1_000_000, maxBytes: 2 ** 30 } as const;

/** So many stores on a new schema, each with the transactions. */
async function withStores(
  count: number,
  transactions: readonly string[],
  use: (stores: HistoryStore[], schema: string) => Promise<void>,
  name = 'haip-history',
): Promise<void> {
  const schema = nextSchema();
  const connectionString = `${url}?application_name=${name}`;
  const stores = Array.from({ length: count }, () => postgresHistory({ connectionString, schema, ...wide }));
  try {
    for (const transaction of transactions) {
      const record = recordOf(transaction);
      await stores[0]?.create(record, startOf(record));
    }
    await use(stores, schema);
  } finally {
    for (const store of stores) await store.close();
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(1);
}

describe('stores that write at once', () => {
  test('F34: 10,000 drafts to one transaction, from two stores and 40 writers, leave no hole and no double', {
    timeout: 120_000,
  }, async () => {
    await withStores(2, ['chat'], async (stores) => {
      const placed: number[] = [];
      const write = async (writer: number): Promise<void> => {
        for (let left = 250; left > 0; ) {
          const drafts = Array.from({ length: Math.min(left, 1 + (writer % 4)) }, () => draft());
          await stores[writer % 2]?.append('chat', drafts);
          placed.push(...drafts.map(({ outcome }) => (outcome?.kind === 'stored' ? outcome.position : 0)));
          left -= drafts.length;
        }
      };
      await Promise.all(Array.from({ length: 40 }, (_, writer) => write(writer)));
      expect(placed.sort((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 2));
      const page = await stores[1]?.read('chat', { from: 1, maxEntries: 20_000, maxBytes: 1e9 });
      expect(page?.entries.map(({ position }) => position)).toEqual(Array.from({ length: 10_001 }, (_, i) => i + 1));
    });
  });

  test('groups of many transactions, in any order, never wait for each other in a circle', async () => {
    const transactions = Array.from({ length: 200 }, (_, i) => `chat-${i}`);
    const name = `circle-${randomUUID().slice(0, 8)}`;
    const before = await deadlocks(name);
    await withStores(
      3,
      transactions,
      async (stores, schema) => {
        const write = async (store: HistoryStore, round: number): Promise<void> => {
          const mixed = transactions.toSorted((one, other) => digest(`${one} ${round}`) - digest(`${other} ${round}`));
          await Promise.all(mixed.map((transaction) => store.append(transaction, [draft()])));
          // The same references in another order: only one of three makes each.
          const some = mixed.filter((_, i) => i % 10 === 0).map((transaction) => `${transaction}-${round % 10}`);
          await Promise.all(some.map((reference) => store.create(...creation(reference, draft().id))));
        };
        const writing = stores.map(async (store, i) => {
          for (let round = 0; round < 10; round++) await write(store, round + 10 * i);
        });
        await Promise.all(writing);
        const rows = await sql(`SELECT last FROM "${schema}".logs WHERE last > 1`);
        expect(rows.map(({ last }) => Number(last))).toEqual(transactions.map(() => 1 + 3 * 10));
      },
      name,
    );
    expect(await deadlocks(name)).toBe(before);
  });

  test('F26: a store that stands still in the middle of a commit holds up the others for three seconds, not for ever', async () => {
    await withStores(1, ['chat', 'other'], async ([store], schema) => {
      const stalled = await connectTo(url);
      stalled.on('error', () => {});
      await stalled.query(begin);
      await stalled.query(`SELECT FROM "${schema}".logs FOR UPDATE`);
      const one = draft();
      await store?.append('chat', [one]);
      expect(one.outcome).toEqual({ kind: 'stored', position: 2 });
      await stalled.end();
    });
  });

  test('a lock that nobody gives back costs its own transaction only', async () => {
    await withStores(1, ['stuck', 'free'], async ([store], schema) => {
      const holder = await connectTo(url);
      await holder.query('BEGIN');
      await holder.query(`SELECT FROM "${schema}".logs WHERE serial = 1 FOR UPDATE`);
      const drafts = [draft(), draft()] as const;
      const appended = await Promise.allSettled([
        store?.append('stuck', [drafts[0]]),
        store?.append('free', [drafts[1]]),
      ]);
      expect(appended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      await holder.query('ROLLBACK');
      await store?.append('stuck', [drafts[0]]);
      expect(drafts.map(({ outcome }) => outcome)).toEqual([2, 2].map((position) => ({ kind: 'stored', position })));
      await holder.end();
    });
  });

  test('creates of one reference from several stores make one transaction [F56]', async () => {
    await withStores(4, [], async (stores) => {
      const made = await Promise.all(
        stores.flatMap((store, i) => [0, 1, 2].map((n) => store.create(...creation('same', `id-${i}-${n}`)))),
      );
      expect(made.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(made.map(({ record }) => record.transaction)).size).toBe(1);
    });
  });

  test('revocations have one order: who asks from the newest one on misses none that was begun before it', async () => {
    const pool = new pg.Pool({ connectionString: url });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const noted = Promise.withResolvers<void>();
    // Its commit stays underway once its revocation is written.
    const slow: PostgresPool = {
      on: (event, listener) => pool.on(event, listener),
      async connect() {
        const client = await pool.connect();
        const query = client.query.bind(client) as (query: pg.QueryConfig) => Promise<pg.QueryResult>;
        const slowly = async (asked: pg.QueryConfig): Promise<pg.QueryResult> => {
          const result = await query(asked);
          if (!asked.name?.endsWith('_revoke')) return result;
          noted.resolve();
          await released;
          return result;
        };
        return new Proxy(client, { get: (target, key) => (key === 'query' ? slowly : Reflect.get(target, key)) });
      },
    };
    await withStores(2, [], async (stores, schema) => {
      const [asking, quick] = stores as [HistoryStore, HistoryStore];
      const first = await asking.heads([]);
      const store = postgresHistory({ pool: slow, schema });
      const ann = store.revoke('ann');
      await noted.promise;
      let isRevoked = false;
      const bob = Promise.resolve(quick.revoke('bob')).then(() => {
        isRevoked = true;
      });
      const waits = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = ${LOCK_CLASS + 1} AND NOT granted`;
      while (!isRevoked && (await sql(waits)).length === 0) await pause(2);
      const between = await asking.heads([], first.place);
      release();
      await Promise.all([ann, bob]);
      const last = await asking.heads([], between.place);
      expect([...between.revoked, ...last.revoked].map(({ user }) => user)).toEqual(['ann', 'bob']);
      await store.close();
    });
    await pool.end();
  });
});

describe('what stores tell each other', () => {
  test('one notification tells of a whole group, and nobody is told of its own appends', async () => {
    await withStores(2, ['a', 'b', 'c'], async (stores, schema) => {
      const [store, other] = stores as [HistoryStore, HistoryStore];
      const ear = await connectTo(url);
      const payloads: string[] = [];
      ear.on('notification', ({ payload }) => payloads.push(payload ?? ''));
      await ear.query(`LISTEN "haip_${schema}"`);
      const heard: string[] = [];
      const own: string[] = [];
      store.watch((transaction) => own.push(transaction));
      other.watch((transaction) => heard.push(transaction));
      // What they may have missed before they listened.
      await until(() => own.length >= 3 && heard.length >= 3);
      own.length = 0;
      heard.length = 0;
      payloads.length = 0;
      await Promise.all(['a', 'b', 'c', 'a', 'b'].map((transaction) => store.append(transaction, [draft(), draft()])));
      await until(() => heard.length === 3);
      expect(heard.toSorted()).toEqual(['a', 'b', 'c']);
      // What it is told comes in order: had it heard of its own, it would have before this.
      await other.append('c', [draft()]);
      await until(() => own.length > 0);
      expect(own).toEqual(['c']);
      await until(() => new Set(payloads.map((payload) => JSON.parse(payload)[1])).size === 2);
      expect(payloads).toHaveLength(2);
      await ear.end();
    });
  });

  test('an append that stores nothing tells nobody', async () => {
    await withStores(2, ['a', 'b'], async (stores) => {
      const [store, other] = stores as [HistoryStore, HistoryStore];
      const heard: string[] = [];
      const one = draft();
      await store.append('a', [one]);
      other.watch((transaction) => heard.push(transaction));
      // What it may have missed before it listened.
      await until(() => heard.length >= 2);
      heard.length = 0;
      await store.append('a', [{ ...one, outcome: undefined }]);
      await store.append('b', [draft()]);
      await until(() => heard.length > 0);
      expect(heard).toEqual(['b']);
    });
  });

  test('a long word lies in a table until it is fetched, and a minute at most', async () => {
    await withStores(2, [], async (stores, schema) => {
      const [store, other] = stores as [HistoryStore, HistoryStore];
      const heard: number[] = [];
      other.listen('node', ({ length }) => heard.push(length));
      while (heard.length === 0) {
        await store.notify('node', new Uint8Array(8000));
        await pause(5);
      }
      expect(heard[0]).toBe(8000);
      const parked = await sql(`SELECT FROM "${schema}".words`);
      expect(parked.length).toBeGreaterThan(0);
    });
  });
});

function creation(reference: string, id = reference): Parameters<HistoryStore['create']> {
  const record = recordOf(id, { referenceId: reference });
  return [record, startOf(record)];
}

/** How many there were in the database. A connection tells of its own when it ends, so those of that name must be over. */
async function deadlocks(name: string): Promise<string | undefined> {
  const open = 'SELECT FROM pg_stat_activity WHERE application_name = $1';
  while ((await sql(open, [name])).length > 0) await pause(5);
  const [row] = await sql<{ deadlocks: string }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
  );
  return row?.deadlocks;
}

/** A number that looks as if thrown, the same for the same text. */
function digest(text: string): number {
  return Number.parseInt(bodyDigest('MESSAGE', text), 10);
}
