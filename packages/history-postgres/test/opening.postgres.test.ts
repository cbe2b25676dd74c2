// What a schema and a database may be, in which epoch a store goes on, and what goes when its time is over.
import type { Head, HistoryStore } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { describe, expect, test } from 'vitest';
import { type PostgresHistoryOptions, postgresHistory } from '../src/index.ts';
import { sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();
const DAY = 86_400_000;

/** Runs a store for as long as `use` takes, the transaction `chat` in it. */
async function withStore<T>(
  options: Partial<PostgresHistoryOptions> & { schema: string },
  use: (store: HistoryStore) => T | Promise<T>,
): Promise<T> {
  const store = postgresHistory({ connectionString: url, ...options } as PostgresHistoryOptions);
  try {
    const record = recordOf('chat');
    await store.create(record, startOf(record));
    return await use(store);
  } finally {
    await store.close();
  }
}

const epochOf = (schema: string): Promise<string> =>
  withStore({ schema }, async (store) => ((await store.head('chat')) as Head).epoch);

async function refusalOf(connectionString: string, schema = nextSchema()): Promise<unknown> {
  const store = postgresHistory({ connectionString, schema });
  const refusal = await Promise.resolve(store.head('chat')).catch((error: unknown) => error);
  await store.close();
  return refusal;
}

describe('the schema', () => {
  test('of a later version is refused and left as it is', async () => {
    const schema = nextSchema();
    await epochOf(schema);
    await sql(`UPDATE "${schema}".meta SET version = 99`);
    expect(await refusalOf(url, schema)).toMatchObject({
      message: expect.stringMatching(/version 99.*knows up to 1.*later one/),
    });
    expect(await sql(`SELECT version FROM "${schema}".meta`)).toEqual([{ version: 99 }]);
    await sql(`UPDATE "${schema}".meta SET version = 1`);
    await epochOf(schema);
  });

  test.each([['meta'], ['entries']])('with a table %s of somebody else is refused and left as it is', async (table) => {
    const schema = nextSchema();
    await sql(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}"."${table}" (theirs text)`);
    expect(await refusalOf(url, schema)).toMatchObject({
      message: expect.stringMatching(/has tables of something else/),
    });
    expect(
      await sql(`SELECT count(*) FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r'`),
    ).toEqual([{ count: '1' }]);
  });

  test('is made once, however many stores come at once', async () => {
    const schema = nextSchema();
    const epochs = await Promise.all(Array.from({ length: 5 }, () => epochOf(schema)));
    expect(new Set(epochs).size).toBe(1);
  });

  test('is taken as it is by a role that may make no other one', async () => {
    const schema = nextSchema();
    await sql(`CREATE ROLE "${schema}" LOGIN; CREATE SCHEMA "${schema}" AUTHORIZATION "${schema}"`);
    try {
      const connectionString = url.replace(/\/\/[^@/]*@/, `//${schema}@`);
      await withStore({ schema, connectionString }, async (store) => {
        expect(await store.head('chat')).toMatchObject({ last: 1 });
      });
    } finally {
      await sql(`DROP SCHEMA "${schema}" CASCADE; DROP ROLE "${schema}"`);
    }
  });

  test('holds nothing of another one in the same database', async () => {
    const [one, two] = [nextSchema(), nextSchema()];
    expect(await epochOf(one)).not.toBe(await epochOf(two));
  });
});

describe('the database', () => {
  test('must have synchronous_commit on, and is refused by the name of the setting', async () => {
    const options = encodeURIComponent('-c synchronous_commit=off');
    expect(await refusalOf(`${url}?options=${options}`)).toMatchObject({
      message: expect.stringMatching(/synchronous_commit is off.*set it on/),
    });
  });

  test('must have a place for every character', async () => {
    const name = nextSchema();
    await sql(`CREATE DATABASE "${name}" ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    try {
      expect(await refusalOf(url.replace(/\/[^/]*$/, `/${name}`))).toMatchObject({
        message: expect.stringMatching(/encoding UTF8, got LATIN1/),
      });
    } finally {
      await sql(`DROP DATABASE "${name}"`);
    }
  });

  test('with strict defaults of its own is used as the store needs it', async () => {
    const options = encodeURIComponent('-c default_transaction_isolation=serializable -c search_path=nowhere');
    const schema = nextSchema();
    await epochOf(schema);
    await withStore({ schema, connectionString: `${url}?options=${options}` }, async (store) => {
      await withStore({ schema, connectionString: `${url}?options=${options}` }, async (other) => {
        const drafts = Array.from({ length: 40 }, () => draft());
        await Promise.all(drafts.map((one, i) => (i % 2 === 0 ? store : other).append('chat', [one])));
        expect(await store.head('chat')).toMatchObject({ last: 41 });
      });
    });
  });
});

describe('the epoch', () => {
  test('F23: is kept over a restart', async () => {
    const schema = nextSchema();
    expect(await epochOf(schema)).toBe(await epochOf(schema));
  });

  test('I12: is another one on another timeline, for every store, and kept from then on', async () => {
    const schema = nextSchema();
    const epoch = await epochOf(schema);
    await sql(`UPDATE "${schema}".meta SET timeline = 'another/00000001'`);
    const renewed = await Promise.all([epochOf(schema), epochOf(schema)]);
    expect(renewed[0]).toBe(renewed[1]);
    expect(renewed).not.toContain(epoch);
    expect(await epochOf(schema)).toBe(renewed[0]);
  });
});

describe('time', () => {
  test('F38: goes on over a restart, and a wall clock set back between two runs does not turn it back', async () => {
    const schema = nextSchema();
    const first = fakeClock();
    await withStore({ schema, clock: first, windowTime: '1h' }, async (store) => {
      await first.advance(DAY);
      await store.append('chat', [draft()]);
    });
    const behind = fakeClock({ now: first.now() - 30 * DAY });
    await withStore({ schema, clock: behind, windowTime: '1h' }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 2 });
      await behind.advance(3_600_000);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test("F38: a jump of the database's clock, seen by a store that opens right after it, wipes no window", async () => {
    const schema = nextSchema();
    await withStore({ schema, windowTime: '1h' }, async (store) => {
      await store.append('chat', [draft()]);
    });
    // As if the clock had gone forward by a day since the last beat.
    await sql(`UPDATE "${schema}".meta SET wall_at = wall_at - $1`, [DAY]);
    await withStore({ schema, windowTime: '1h' }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 1, last: 2 });
    });
  });
});
