// What goes by itself: the fronts of windows that nobody touches, ids, words, revocations, and in the end the transaction.
import { readWindowLimits } from '@haip/history-engine';
import type { HistoryStore } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { Caretaker } from '../src/caretaker.ts';
import { postgresHistory } from '../src/index.ts';
import type { PostgresClient } from '../src/options.ts';
import { Schema } from '../src/schema.ts';
import { Session } from '../src/session.ts';
import { connectTo, sql, temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Place {
  readonly store: HistoryStore;
  readonly clock: FakeClock;
  readonly schema: string;
  /** Lets the caretaker look at all there is. */
  round(): Promise<void>;
  count(table: string): Promise<number>;
}

async function withCare(windowTime: '1h' | '30d', use: (place: Place) => Promise<void>): Promise<void> {
  const schema = nextSchema();
  const clock = fakeClock();
  const store = postgresHistory({ connectionString: url, schema, clock, windowTime });
  const began = clock.now();
  const client = await connectTo(url);
  const caretaker = new Caretaker(new Schema(schema), readWindowLimits({ windowTime }, windowTime));
  try {
    await use({
      store,
      clock,
      schema,
      round: () => caretaker.round(new Session(client as unknown as PostgresClient), began + clock.monotonic()),
      count: async (table) => (await sql(`SELECT FROM "${schema}"."${table}"`)).length,
    });
  } finally {
    await client.end();
    await store.close();
  }
}

async function begin(store: HistoryStore, transaction: string): Promise<void> {
  const record = recordOf(transaction, { starter: `starter-of-${transaction}` });
  await store.create(record, startOf(record));
}

test('entries that ran out of their time go without anybody touching their log, and what is young stays', async () => {
  await withCare('1h', async ({ store, clock, round, count }) => {
    await begin(store, 'idle');
    for (let i = 0; i < 4; i++)
      await store.append(
        'idle',
        Array.from({ length: 10 }, () => draft()),
      );
    await clock.advance(HOUR / 2);
    await begin(store, 'young');
    await clock.advance(HOUR / 2);
    await round();
    expect(await count('entries')).toBe(1);
    expect(await store.head('idle')).toMatchObject({ first: 42, last: 41 });
    expect(await store.head('young')).toMatchObject({ first: 1, last: 1 });
  });
});

test('a transaction goes 30 days after its last entry, and all of it', async () => {
  await withCare('30d', async ({ store, clock, round, count }) => {
    await begin(store, 'chat');
    await store.append('chat', [
      draft({ type: 'TRANSACTION_JOIN', user: 'bob', payload: {} }),
      draft({ type: 'RUN_STARTED', subject: { key: 'run:r', step: 'open' } }),
    ]);
    await clock.advance(29 * DAY);
    await begin(store, 'busy');
    await clock.advance(DAY);
    await round();
    expect([await store.get('chat'), (await store.list('bob')).transactions]).toEqual([null, []]);
    const tables = ['transactions', 'logs', 'entries', 'keys', 'subjects', 'members'];
    expect(await Promise.all(tables.map(count))).toEqual([1, 1, 1, 1, 0, 1]);
    expect(await store.get('busy')).not.toBeNull();
  });
});

test('ids are forgotten 15 minutes after the window, those of the agent within it', async () => {
  await withCare('30d', async ({ store, clock, round, count }) => {
    await begin(store, 'chat');
    const [one, agents] = [draft(), draft({ user: null })];
    await store.append('chat', [one, agents]);
    await clock.advance(15 * 60_000);
    await round();
    expect(await store.find('chat', 'ann', one.id)).not.toBeNull();
    expect(await count('keys')).toBe(2);
  });
  await withCare('1h', async ({ store, clock, count }) => {
    await begin(store, 'chat');
    const one = draft();
    await store.append('chat', [one]);
    await clock.advance(HOUR);
    // The next append does it as well, where there is one.
    await store.append('chat', [draft()]);
    expect(await store.find('chat', 'ann', one.id)).toBeNull();
    expect(await count('keys')).toBe(1);
  });
});

test('a log that somebody else has locked is left alone, and looked after in the next round', async () => {
  await withCare('1h', async ({ store, clock, schema, round, count }) => {
    for (const transaction of ['locked', 'free']) await begin(store, transaction);
    await clock.advance(2 * HOUR);
    const holder = await connectTo(url);
    await holder.query('BEGIN');
    await holder.query(`SELECT FROM "${schema}".logs WHERE serial = 1 FOR UPDATE`);
    await round();
    expect(await count('entries')).toBe(1);
    await holder.query('ROLLBACK');
    await round();
    expect(await count('entries')).toBe(0);
    await holder.end();
  });
});

test('revocations go after an hour, but for the newest, which says where the list ends; words after a minute', async () => {
  await withCare('1h', async ({ store, clock, schema, round, count }) => {
    for (const user of ['ann', 'bob']) await store.revoke(user);
    const { place } = await store.heads([]);
    await store.notify('nobody', new Uint8Array(10_000));
    await clock.advance(HOUR);
    await round();
    expect(await Promise.all(['revocations', 'words'].map(count))).toEqual([1, 1]);
    expect((await store.heads([], place)).revoked).toEqual([]);
    await sql(`UPDATE "${schema}".words SET at = at - interval '61 seconds'`);
    await round();
    expect(await count('words')).toBe(0);
    await store.revoke('cleo');
    expect((await store.heads([], place)).revoked).toMatchObject([{ user: 'cleo' }]);
  });
});

test('a front that is longer than a first look is trimmed all the same', async () => {
  await withCare('1h', async ({ store, clock, round, count }) => {
    await begin(store, 'chat');
    const piece = (type: string, step: 'open' | 'part'): ReturnType<typeof draft> =>
      draft({ type, user: null, subject: { key: 'message:m', step } });
    await store.append('chat', [
      piece('MESSAGE_START', 'open'),
      ...Array.from({ length: 300 }, () => piece('MESSAGE_PART', 'part')),
    ]);
    await store.append('chat', [draft({ type: 'TRANSACTION_END', payload: {} })]);
    await clock.advance(HOUR);
    expect(await store.head('chat')).toMatchObject({ first: 304, last: 303 });
    expect((await store.read('chat', { from: 1 }))?.entries).toEqual([]);
    await round();
    expect(await count('entries')).toBe(0);
  });
});
