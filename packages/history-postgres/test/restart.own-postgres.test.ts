// F29 on servers of the test's own: one that is stopped as by a crash and started again under load, one that another takes
// over from, one that does not keep its word.
import { setTimeout as pause } from 'node:timers/promises';
import type { Head, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { describe, expect, test } from 'vitest';
import { postgresHistory } from '../src/index.ts';
import { ownServer } from './own-server.ts';
import { sql } from './schemas.ts';

const RESTARTS = 4;
const wide = { windowSize: 1_000_000, maxBytes: 2 ** 30 } as const;

async function begin(store: HistoryStore, transaction: string): Promise<string> {
  const record = recordOf(transaction);
  return (await store.create(record, startOf(record))).epoch;
}

const epochOf = async (store: HistoryStore): Promise<string> => ((await store.head('chat')) as Head).epoch;

/** Asks until it is so; each look is a round trip or a turn of the event loop. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(5);
}

test('F29: restarted under load, PostgreSQL has all that was settled, once and in its place, and is heard again', {
  timeout: 240_000,
}, async () => {
  const server = await ownServer();
  const [store, other] = [0, 1].map(() => postgresHistory({ connectionString: server.url, ...wide })) as [
    HistoryStore,
    HistoryStore,
  ];
  const epoch = await begin(store, 'chat');
  const heard: string[] = [];
  other.watch((transaction) => heard.push(transaction));
  const settled = new Map<string, number>();
  let [isOver, rejected] = [false, 0];

  /** Tries the same draft again until it is in the log, as a server does. */
  async function settle(): Promise<void> {
    const one = draft();
    while (one.outcome === undefined) {
      try {
        await store.append('chat', [one]);
      } catch {
        rejected++;
      }
    }
    const { outcome } = one;
    settled.set(one.id, outcome.kind === 'refused' ? -1 : outcome.position);
  }
  const writers = Array.from({ length: 8 }, async () => {
    while (!isOver) await settle();
  });
  for (let restart = 0; restart < RESTARTS; restart++) {
    const enough = settled.size + 100;
    await until(() => settled.size >= enough);
    await server.stop('immediate');
    await server.start();
  }
  const enough = settled.size + 100;
  await until(() => settled.size >= enough);
  isOver = true;
  await Promise.all(writers);

  const page = await store.read('chat', { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
  const entries = page?.entries ?? [];
  expect(page).toMatchObject({ epoch, first: 1, last: settled.size + 1 });
  expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
  expect(new Map(entries.slice(1).map(({ id, position }) => [id, position]))).toEqual(settled);
  // Unknown are the commits that were underway: one at a time, and what waited for it.
  expect(rejected).toBeLessThanOrEqual(RESTARTS * 2 * writers.length);

  heard.length = 0;
  await begin(store, 'later');
  await until(() => heard.includes('later'));
  await Promise.all([store.close(), other.close()]);
});

test('F25: while PostgreSQL is away what is asked waits for a while, then rejects, and works again once it is back', {
  timeout: 120_000,
}, async () => {
  const server = await ownServer();
  const store = postgresHistory({ connectionString: server.url });
  const epoch = await begin(store, 'chat');
  await server.stop('fast');
  const one = draft();
  const asked = [
    store.append('chat', [one]),
    store.read('chat', { from: 1 }),
    store.heads([]),
    store.notify('topic', new Uint8Array()),
  ];
  for (const result of await Promise.allSettled(asked)) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringMatching(/not to be reached.*tried again/) },
    });
  }
  expect(one.outcome).toBeUndefined();
  const waiting = store.append('chat', [one]);
  await server.start();
  await waiting;
  expect(one.outcome).toEqual({ kind: 'stored', position: 2 });
  expect(await epochOf(store)).toBe(epoch);
  await store.close();
});

describe('fail-over', () => {
  test('F29, I12: a server that took over has another epoch, its leases are free, and no fence is given again', {
    timeout: 120_000,
  }, async () => {
    const first = await ownServer();
    const store = postgresHistory({ connectionString: first.url });
    const epoch = await begin(store, 'chat');
    const fence = (await store.lease('chat', 'node-1', 3_600_000))?.fence ?? 0;
    await store.saveLease('chat', fence, { done: 5, begun: 7, tries: 1 });
    const second = await first.follower();
    await store.append('chat', [draft()]);
    const standby = postgresHistory({ connectionString: second.url });
    await expect((async () => standby.head('chat'))()).rejects.toThrow(/standby/);
    await store.close();
    await first.stop('immediate');
    await second.promote();

    const after = await epochOf(standby);
    expect(after).not.toBe(epoch);
    expect(await standby.append('chat', [draft({ user: null })], fence)).toBeUndefined();
    const refused = draft({ user: null });
    await standby.append('chat', [refused], fence);
    expect(refused.outcome).toEqual({ kind: 'refused', why: 'lease' });
    const lease = await standby.lease('chat', 'node-2', 1000);
    expect(lease?.fence).toBeGreaterThan(fence + 1000);
    expect(lease?.record).toEqual({ done: 0, begun: 0, tries: 0 });
    await standby.close();

    await second.stop('immediate');
    await second.start();
    const again = postgresHistory({ connectionString: second.url });
    expect(await epochOf(again)).toBe(after);
    await again.close();
  });

  test('a role that may not ask for the timeline has a store all the same', async () => {
    const server = await ownServer();
    await sql(
      'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE guest LOGIN; GRANT CREATE ON DATABASE postgres TO guest',
      [],
      server.url,
    );
    const asGuest = server.url.replace('postgres@', 'guest@');
    const store = postgresHistory({ connectionString: asGuest });
    const epoch = await begin(store, 'chat');
    await store.close();
    const again = postgresHistory({ connectionString: asGuest });
    expect(await epochOf(again)).toBe(epoch);
    await again.close();
  });
});

test('a server that may lose what it acknowledged is refused, by name of the setting', async () => {
  const server = await ownServer({ fsync: 'off' });
  const store = postgresHistory({ connectionString: server.url });
  await expect((async () => store.head('chat'))()).rejects.toThrow(/fsync is off.*set it on/);
  await store.close();
});
