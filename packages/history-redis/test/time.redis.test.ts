// How long things are kept, by whose clock, and that in the end nothing is left.
import type { HistoryStore } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import { createClient } from '@redis/client';
import { describe, expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import type { RedisHistoryOptions } from '../src/options.ts';
import { draft, recordOf, startOf } from './drafts.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';
import { commandTo } from './redis-server.ts';

const nextPrefix = temporaryPrefixes();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Options = Omit<RedisHistoryOptions, 'url' | 'logger'>;

const open = (options: Options): Promise<HistoryStore> => redisHistory({ url: redisUrl, logger: () => {}, ...options });

/** Opens a store for as long as `use` takes. As it closes it looks after what is due. */
async function withStore<T>(options: Options, use: (store: HistoryStore) => Promise<T>): Promise<T> {
  const store = await open(options);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function createChat(store: HistoryStore, transaction = 'chat'): Promise<void> {
  const record = recordOf(transaction);
  await store.create(record, startOf(record));
}

async function put(store: HistoryStore, fields: Parameters<typeof draft>[0] = {}): Promise<void> {
  const one = draft(fields);
  await store.append('chat', [one]);
  expect(one.outcome).toMatchObject({ kind: 'stored' });
}

async function keysOf(prefix: string): Promise<string[]> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const names: string[] = [];
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) names.push(...keys);
  client.destroy();
  return names.sort();
}

/** A clock that shows the same time at first, and none of the other one's jumps: of a process that starts now. */
function clockOfNewProcess(other: FakeClock): FakeClock {
  return fakeClock({ now: other.now() });
}

describe('F38: while a store runs', () => {
  test.each([100 * DAY, -100 * DAY])('a wall clock that jumps by %d ms trims nothing', async (jump) => {
    const clock = fakeClock();
    await withStore({ prefix: nextPrefix(), clock, windowTime: '1h' }, async (store) => {
      await createChat(store);
      clock.jumpWall(jump);
      await put(store);
      expect(await store.head('chat')).toMatchObject({ first: 1, last: 2 });
      await clock.advance(HOUR);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test('nor does it for a store that starts after the jump', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, async (store) => {
      await createChat(store);
      clock.jumpWall(DAY);
      await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (late) => {
        expect(await late.head('chat')).toMatchObject({ first: 1, last: 1 });
        await put(late);
        expect(await store.head('chat')).toMatchObject({ first: 1, last: 2 });
      });
    });
  });

  test('a store whose clock is behind takes on the time of the others', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const [ahead, behind] = [fakeClock(), fakeClock()];
    await withStore({ ...options, clock: ahead }, async (store) => {
      await createChat(store);
      await withStore({ ...options, clock: behind }, async (other) => {
        await ahead.advance(HOUR / 2);
        await put(store);
        await put(other);
        await ahead.advance(HOUR / 2);
        expect(await store.head('chat')).toMatchObject({ first: 2, last: 3 });
      });
    });
  });
});

describe('F38: over a time in which no store ran', () => {
  test('the wall clock says how long that was', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, createChat);
    await clock.advance(HOUR / 2);
    await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 1, last: 1 });
    });
    await clock.advance(HOUR / 2 + 1);
    await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 1 });
    });
  });

  test('one that was set back does not turn time back', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, async (store) => {
      await createChat(store);
      await clock.advance(DAY);
      await put(store);
    });
    const behind = fakeClock({ now: clock.now() - 30 * DAY });
    await withStore({ ...options, clock: behind }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 2 });
      await behind.advance(HOUR);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test('without a clock of its own a store goes by that of Redis', async () => {
    const prefix = nextPrefix();
    await withStore({ prefix }, createChat);
    const [seconds] = (await commandTo(redisUrl, ['TIME'])) as [string];
    const { time, wall } = (await commandTo(redisUrl, ['HGETALL', `${prefix}:meta`])) as Record<string, string>;
    expect(Math.abs(Number(wall) - Number(seconds) * 1000)).toBeLessThan(60_000);
    expect(Math.abs(Number(time) - Number(wall))).toBeLessThan(60_000);
  });
});

describe('what is let go of', () => {
  test('entries that ran out of their time, without anybody asking for them', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const, clock: fakeClock() };
    const entries = `${options.prefix}:log:{chat}:entries`;
    await withStore(options, async (store) => {
      await createChat(store);
      await options.clock.advance(HOUR / 2);
      await put(store);
    });
    expect(await commandTo(redisUrl, ['XLEN', entries])).toBe(2);
    await options.clock.advance(HOUR / 2);
    await withStore(options, async () => {});
    expect(await commandTo(redisUrl, ['XLEN', entries])).toBe(1);
    await options.clock.advance(HOUR);
    await withStore(options, async () => {});
    expect(await keysOf(options.prefix)).toEqual(
      ['due', 'list:{ann}', 'log:{chat}', 'meta', 'references:{ann}'].map((name) => `${options.prefix}:${name}`),
    );
  });

  test('ids 15 minutes after the window, those of the agent within it', async () => {
    const clock = fakeClock();
    await withStore({ prefix: nextPrefix(), clock, windowTime: '1m' }, async (store) => {
      await createChat(store);
      const one = draft();
      await store.append('chat', [one]);
      const known = async (): Promise<boolean> => (await store.find('chat', 'ann', one.id)) !== null;
      await clock.advance(14 * 60_000);
      await put(store);
      expect(await known()).toBe(true);
      // One generation more at most: a quarter of an hour.
      await clock.advance(16 * 60_000);
      await put(store);
      await clock.advance(16 * 60_000);
      await put(store);
      expect(await known()).toBe(false);
    });
  });

  test("the agent's ids but for the newest, however many there are in a window", async () => {
    const options = { prefix: nextPrefix(), clock: fakeClock(), windowSize: 100_000 };
    await withStore(options, async (store) => {
      await createChat(store);
      const drafts = Array.from({ length: 1024 }, () => draft({ user: null }));
      for (let minute = 0; minute < 5; minute++) {
        await options.clock.advance(60_000);
        const all = drafts.map((one) => ({ ...one, id: crypto.randomUUID() }));
        await store.append('chat', all);
        // Tried again by a server that had no answer.
        const again = all.map((one) => ({ ...one }));
        await store.append('chat', again);
        expect(new Set(again.map(({ outcome }) => outcome?.kind))).toEqual(new Set(['repeat']));
      }
    });
    const own = [`${options.prefix}:log:{chat}:own`, `${options.prefix}:log:{chat}:own-old`];
    const sizes = await Promise.all(own.map((key) => commandTo(redisUrl, ['HLEN', key])));
    expect(Number(sizes[0]) + Number(sizes[1])).toBeLessThanOrEqual(3 * 1024);
  });

  test('a transaction 30 days after its last entry, all of it', async () => {
    const options = { prefix: nextPrefix(), clock: fakeClock() };
    await withStore(options, async (store) => {
      await createChat(store);
      await put(store, { type: 'TRANSACTION_JOIN', user: 'bob', payload: {} });
      await put(store, { user: null });
      await put(store, { type: 'MESSAGE_START', subject: { key: 'message:m', step: 'open' } });
    });
    await options.clock.advance(30 * DAY - 1);
    await withStore(options, async (store) => {
      expect(await store.get('chat')).not.toBeNull();
      expect((await store.list('bob')).transactions).toHaveLength(1);
    });
    await options.clock.advance(1);
    // It may be due a little later than it is over.
    await withStore(options, async () => {});
    await options.clock.advance(HOUR);
    await withStore(options, async () => {});
    await withStore(options, async (store) => {
      const lists = await Promise.all(['ann', 'bob'].map((user) => store.list(user)));
      expect([await store.get('chat'), ...lists.map(({ transactions }) => transactions)]).toEqual([null, [], []]);
    });
    expect(await keysOf(options.prefix)).toEqual([`${options.prefix}:meta`]);
  });

  test('everything of a transaction by Redis itself, should no store ever run again', async () => {
    const prefix = nextPrefix();
    await withStore({ prefix }, async (store) => {
      await createChat(store);
      await put(store, { user: null });
      await put(store, { type: 'RUN_STARTED', subject: { key: 'run:r', step: 'open' } });
      await put(store, { type: 'RUN_FINISHED', subject: { key: 'run:r', step: 'end' } });
    });
    const own = (await keysOf(prefix)).filter((key) => key.includes(':log:'));
    expect(own.length).toBeGreaterThan(3);
    for (const key of own) expect(await commandTo(redisUrl, ['PTTL', key])).toBeGreaterThan(59 * DAY);
  });

  test('a reference or a place in a list whose transaction is gone all the same', async () => {
    const prefix = nextPrefix();
    await withStore({ prefix }, async (store) => {
      await createChat(store);
      await createChat(store, 'other');
      await commandTo(redisUrl, ['DEL', `${prefix}:log:{chat}`, `${prefix}:log:{chat}:entries`]);
      expect((await store.list('ann')).transactions.map(({ transaction }) => transaction)).toEqual(['other']);
      expect(await commandTo(redisUrl, ['ZCARD', `${prefix}:list:{ann}`])).toBe(1);
      const again = recordOf('again', { referenceId: 'reference-of-chat' });
      expect(await store.create(again, startOf(again))).toMatchObject({ created: true, record: again });
    });
  });
});
