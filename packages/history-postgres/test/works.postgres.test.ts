// What becomes of works that go in one commit, alone or beside others, with ids of every kind, over any pool.
import type { Draft, HistoryStore } from '@haip/protocol';
import { assertKeepsText, draft, recordOf, startOf } from '@haip/testing/store-kit';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { type PostgresPool, postgresHistory } from '../src/index.ts';
import { sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();

async function withChat<T>(use: (store: HistoryStore, schema: string) => Promise<T>, pool?: PostgresPool): Promise<T> {
  const schema = nextSchema();
  const store = postgresHistory({ schema, ...(pool === undefined ? { connectionString: url } : { pool }) });
  try {
    const record = recordOf('chat');
    await store.create(record, startOf(record));
    return await use(store, schema);
  } finally {
    await store.close();
  }
}

const stored = (position: number): unknown => ({ kind: 'stored', position });

test('a work that cannot be written fails alone, and those beside it are stored', async () => {
  await withChat(async (store) => {
    const drafts = [
      draft(),
      draft({ size: {} as never }),
      draft(),
      draft({ size: Symbol() as never }),
      draft({ ts: 1.5 }),
      draft(),
    ];
    const results = await Promise.allSettled(drafts.map(async (one) => store.append('chat', [one])));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(drafts.map(({ outcome }) => outcome?.kind)).toEqual([
      'stored',
      undefined,
      'stored',
      undefined,
      'stored',
      'stored',
    ]);
    expect(await store.head('chat')).toMatchObject({ first: 1, last: 5 });
  });
});

test('works of one commit see each other, in their order', async () => {
  await withChat(async (store) => {
    const id = 'same';
    const other = recordOf('other');
    const piece = (type: string, step: 'open' | 'part' | 'end', payload: Draft['payload']): Draft =>
      draft({ type, user: null, payload, subject: { key: 'message:m', step } });
    const drafts = [
      draft({ id }),
      draft({ id }),
      piece('MESSAGE_START', 'open', {}),
      piece('MESSAGE_PART', 'part', { text: 'a' }),
      piece('MESSAGE_END', 'end', { text: 'a' }),
      piece('MESSAGE_PART', 'part', { text: 'late' }),
      draft({ type: 'AUDIO', bytes: new Uint8Array([1, 2, 3]) }),
      draft({ type: 'AUDIO', bytes: new Uint8Array() }),
      draft({ type: 'AUDIO', bytes: new Uint8Array([255]) }),
    ];
    const first = startOf(other);
    const late = draft();
    const [lease, , second] = await Promise.all([
      store.lease('chat', 'node-1', 1000),
      store.saveLease('chat', 1, { done: 3, begun: 0, tries: 0 }),
      store.lease('chat', 'node-2', 1000),
      store.compact('chat', { messageId: 'm', start: 3, end: 5 }),
      ...[0, 4, 8].map((from) => store.append('chat', drafts.slice(from, from + 4))),
      store.create(other, first),
      store.append('other', [late]),
    ]);
    expect(drafts.map(({ outcome }) => (outcome?.kind === 'stored' ? outcome.position : outcome?.kind))).toEqual([
      2,
      'repeat',
      3,
      4,
      5,
      'refused',
      6,
      7,
      8,
    ]);
    expect([first.outcome, late.outcome]).toEqual([stored(1), stored(2)]);
    expect([lease?.fence, second]).toEqual([1, null]);
    expect((await store.lease('chat', 'node-1', 1000))?.record).toEqual({ done: 3, begun: 0, tries: 0 });
    const { entries } = (await store.read('chat', { from: 2 })) ?? { entries: [] };
    expect(entries.map(({ position }) => position)).toEqual([2, 5, 6, 7, 8]);
    expect(entries.map(({ bytes }) => bytes && [...bytes])).toEqual([undefined, undefined, [1, 2, 3], [], [255]]);
  });
});

test('of creates in one commit the first of a reference makes the transaction, and an id of another one is taken', async () => {
  await withChat(async (store) => {
    const creation = (transaction: string, referenceId: string): Parameters<HistoryStore['create']> => {
      const record = recordOf(transaction, { referenceId });
      return [record, startOf(record)];
    };
    const made = await Promise.allSettled([
      store.create(...creation('one', 'r1')),
      store.create(...creation('two', 'r1')),
      store.create(...creation('one', 'r1')),
      store.create(...creation('chat', 'r2')),
      store.create(...creation('one', 'a-r3')),
    ]);
    const said = made.map((result) =>
      result.status === 'fulfilled'
        ? [result.value.record.transaction, result.value.created]
        : String(result.reason.message),
    );
    // Which of two references an id goes to is not said, only that it is one.
    const taken = 'history: one exists already';
    expect([
      [['one', true], ['one', false], ['one', false], 'history: chat exists already', taken],
      [['two', false], ['two', true], ['two', false], 'history: chat exists already', ['one', true]],
    ]).toContainEqual(said);
  });
});

test('F28: a commit whose answer is lost rejects, and its retry finds every draft where it is', async () => {
  const pool = new pg.Pool({ connectionString: url });
  let isLost = false;
  const forgetful: PostgresPool = {
    on: (event, listener) => pool.on(event, listener),
    async connect() {
      const client = await pool.connect();
      const query = client.query.bind(client) as (query: { text: string }) => Promise<pg.QueryResult>;
      const losing = async (asked: { text: string }): Promise<pg.QueryResult> => {
        const result = await query(asked);
        if (asked.text !== 'COMMIT' || !isLost) return result;
        isLost = false;
        throw new Error('Connection terminated unexpectedly');
      };
      return new Proxy(client, { get: (target, name) => (name === 'query' ? losing : Reflect.get(target, name)) });
    },
  };
  await withChat(async (store) => {
    const drafts = [draft(), draft({ user: null })];
    isLost = true;
    await expect((async () => store.append('chat', drafts))()).rejects.toThrow(/tried again/);
    expect(drafts.map(({ outcome }) => outcome)).toEqual([undefined, undefined]);
    await store.append('chat', drafts);
    expect(drafts.map(({ outcome }) => outcome)).toMatchObject(
      [2, 3].map((position) => ({ kind: 'repeat', position })),
    );
    expect(await store.head('chat')).toMatchObject({ last: 3 });
  }, forgetful);
  await pool.end();
});

describe.each([[true], [false]])("a user's pool, pipelined: %s", (pipeline) => {
  test('serves two stores of two schemas, and is left open', async () => {
    const pool = new pg.Pool({ connectionString: url, pipeline } as pg.PoolConfig);
    const warned: unknown[] = [];
    const warn = (warning: unknown): number => warned.push(warning);
    process.on('warning', warn);
    await withChat(async (store) => {
      await withChat(async (other) => {
        const heard: string[] = [];
        store.listen('node', () => heard.push('word'));
        const drafts = Array.from({ length: 40 }, () => draft());
        await Promise.all(drafts.map((one, i) => (i % 2 === 0 ? store : other).append('chat', [one])));
        expect(drafts.map(({ outcome }) => outcome)).toEqual(drafts.map((_, i) => stored((i >> 1) + 2)));
        expect((await store.read('chat', { from: 1 }))?.entries).toHaveLength(21);
        expect((await other.heads(['chat'])).heads).toMatchObject([{ last: 21 }]);
        await store.notify('node', new Uint8Array(20_000));
        expect(heard).toEqual(['word']);
      }, pool);
    }, pool);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    process.off('warning', warn);
    expect(warned).toEqual([]);
    await pool.end();
  });
});

test('A67: SQL in ids, users and labels is text like any other', async () => {
  const evil = [
    "'; DROP TABLE entries; --",
    '" OR 1=1 --',
    '%',
    '?1',
    '$1',
    'a\u0000b',
    '\ud800',
    '\\u0000',
    '\\',
    "') ON CONFLICT DO NOTHING --",
  ];
  await withChat(async (store, schema) => {
    const { place } = await store.heads([]);
    for (const text of evil) await assertKeepsText(store, text);
    expect((await store.heads([], place)).revoked.map(({ user }) => user)).toEqual(evil);
    expect((await store.list('ann', evil[0])).transactions).toEqual([]);
    const { heads } = await store.heads(evil);
    expect(heads).toMatchObject(evil.map(() => ({ first: 1, last: 3 })));
    expect(await sql(`SELECT FROM "${schema}".transactions`)).toHaveLength(evil.length + 1);
  });
});
