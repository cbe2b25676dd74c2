// What a file may be, who may open it, and in which epoch it goes on.
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Head } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { assertKeepsText, draft, recordOf, startOf } from '@haip/testing/store-kit';
import { describe, expect, test } from 'vitest';
import { sqliteHistory } from '../src/index.ts';
import type { SqliteHistoryOptions } from '../src/options.ts';
import { temporaryFiles } from './files.ts';

const nextFile = temporaryFiles();
const DAY = 86_400_000;

/** Runs a store for as long as `use` takes, the transaction `chat` in it. */
async function withStore<T>(
  options: SqliteHistoryOptions,
  use: (store: ReturnType<typeof sqliteHistory>) => T | Promise<T>,
): Promise<T> {
  const store = sqliteHistory(options);
  try {
    const record = recordOf('chat');
    await store.create(record, startOf(record));
    return await use(store);
  } finally {
    await store.close();
  }
}

const epochOf = (options: SqliteHistoryOptions): Promise<string> =>
  withStore(options, async (store) => ((await store.head('chat')) as Head).epoch);

/** Makes the file look as if its last run had ended without a close. */
function pretendCrash(path: string, run: 'full' | 'normal'): void {
  const db = new DatabaseSync(path);
  db.prepare("UPDATE meta SET value = ? WHERE name = 'run'").run(run);
  db.close();
}

describe('the file', () => {
  test('of a later version is refused and left as it is', async () => {
    const path = nextFile();
    await epochOf({ path });
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    expect(() => sqliteHistory({ path })).toThrow(/schema 99.*knows up to 1.*later one/);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
    db.exec('PRAGMA user_version = 1');
    db.close();
    await epochOf({ path });
  });

  test('of somebody else is refused', () => {
    const path = nextFile();
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE theirs (a)');
    db.close();
    expect(() => sqliteHistory({ path })).toThrow(/another SQLite database/);
    const text = nextFile();
    writeFileSync(text, 'not a database at all, but long enough to be looked at as one. '.repeat(20));
    expect(() => sqliteHistory({ path: text })).toThrow(/not a database/);
  });

  test('is for one store at a time', async () => {
    const path = nextFile();
    const store = sqliteHistory({ path });
    expect(() => sqliteHistory({ path })).toThrow(/is open in another process or store/);
    await store.close();
    await epochOf({ path });
  });

  test.each([
    [{ path: '' }, /path: expected/],
    [{ path: ':memory:' }, /path: expected/],
    [{ path: 'x', synchronous: 'off' as never }, /synchronous: expected "full" or "normal"/],
    [{ path: 'x', windowSize: 0 }, /windowSize: expected/],
    [{ path: 'x', windowTime: '3 weeks' as never }, /windowTime: expected/],
    [{ path: 'x', maxFileBytes: 1 }, /maxFileBytes: expected/],
  ])('%j is a RangeError that names the option', (options, message) => {
    expect(() => sqliteHistory(options)).toThrow(RangeError);
    expect(() => sqliteHistory(options)).toThrow(message);
  });
});

describe('the epoch', () => {
  test('F23: is kept over a clean restart, whatever synchronous is', async () => {
    const path = nextFile();
    const epoch = await epochOf({ path });
    for (const synchronous of ['normal', 'normal', 'full', 'full'] as const) {
      expect(await epochOf({ path, synchronous })).toBe(epoch);
    }
  });

  test('is kept after a crash of a run that was synchronous, and renewed after one that was not [epoch honesty]', async () => {
    const path = nextFile();
    const epoch = await epochOf({ path });
    pretendCrash(path, 'full');
    expect(await epochOf({ path, synchronous: 'normal' })).toBe(epoch);
    pretendCrash(path, 'normal');
    const renewed = await epochOf({ path });
    expect(renewed).not.toBe(epoch);
    expect(await epochOf({ path })).toBe(renewed);
  });
});

describe('time', () => {
  test('F38: goes on over a restart, and a wall clock set back between two runs does not turn it back', async () => {
    const path = nextFile();
    const first = fakeClock();
    await withStore({ path, clock: first, windowTime: '1h' }, async (store) => {
      await first.advance(DAY);
      await store.append('chat', [draft()]);
    });
    const behind = fakeClock({ now: first.now() - 30 * DAY });
    await withStore({ path, clock: behind, windowTime: '1h' }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 2 });
      await behind.advance(3_600_000);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test('a transaction goes 30 days after its last entry, and all of it', async () => {
    const path = nextFile();
    const clock = fakeClock();
    await withStore({ path, clock }, async (store) => {
      await store.append('chat', [draft({ type: 'TRANSACTION_JOIN', user: 'bob', payload: {} })]);
      const busy = recordOf('busy', { starter: 'cleo' });
      await store.create(busy, startOf(busy));
      await clock.advance(30 * DAY);
      for (let i = 0; i < 3; i++) await store.append('busy', [draft()]);
      expect([
        await store.get('chat'),
        (await store.list('ann')).transactions,
        (await store.list('bob')).transactions,
      ]).toEqual([null, [], []]);
      expect(await store.get('busy')).not.toBeNull();
    });
  });

  test('ids are forgotten 15 minutes after the window, those of the agent within it', async () => {
    const path = nextFile();
    const clock = fakeClock();
    await withStore({ path, clock, windowTime: '1m' }, async (store) => {
      const [one, agents] = [draft(), draft({ user: null })];
      await store.append('chat', [one, agents]);
      await clock.advance(14 * 60_000);
      await store.append('chat', [draft()]);
      expect(await store.find('chat', 'ann', one.id)).not.toBeNull();
      await clock.advance(60_000);
      await store.append('chat', [draft()]);
      expect(await store.find('chat', 'ann', one.id)).toBeNull();
    });
    const db = new DatabaseSync(path);
    expect(db.prepare('SELECT count(*) AS count FROM keys').get()).toEqual({ count: 2 });
    db.close();
  });
});

test('a lease is free again at once when its process is gone', async () => {
  const path = nextFile();
  const fence = await withStore({ path }, async (store) => (await store.lease('chat', 'node-1', 30_000))?.fence ?? 0);
  await withStore({ path }, async (store) => {
    expect((await store.lease('chat', 'node-2', 30_000))?.fence).toBeGreaterThan(fence);
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
    "') ON CONFLICT DO NOTHING --",
  ];
  await withStore({ path: nextFile() }, async (store) => {
    for (const text of evil) await assertKeepsText(store, text);
    expect((await store.list('ann', evil[0])).transactions).toEqual([]);
    for (const text of evil) expect(await store.head(text)).toMatchObject({ first: 1, last: 3 });
  });
});
