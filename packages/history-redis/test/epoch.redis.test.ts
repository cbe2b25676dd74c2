// A Redis that comes back, with all it acknowledged or without: what may be lost is another epoch's, and no position of an
// epoch ever stands for two messages.
import type { Head, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, onTestFinished, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { eventually } from './eventually.ts';
import { logged, OwnRedis } from './redis-server.ts';

async function open(redis: OwnRedis): Promise<HistoryStore> {
  const store = await redisHistory({ url: redis.url, logger: () => {} });
  onTestFinished(async () => store.close());
  return store;
}

async function createChat(store: HistoryStore): Promise<string> {
  const record = recordOf('chat');
  return (await store.create(record, startOf(record))).epoch;
}

async function put(store: HistoryStore, fence?: number): Promise<number | string> {
  const one = draft({ user: fence === undefined ? 'ann' : null });
  await store.append('chat', [one], fence);
  const { outcome } = one;
  return outcome?.kind === 'stored' ? outcome.position : outcome?.kind === 'refused' ? outcome.why : 'repeat';
}

/** Kills Redis and starts it again, perhaps with other settings. Resolves when all stores have found it. */
async function crash(redis: OwnRedis, stores: readonly HistoryStore[], args?: readonly string[]): Promise<void> {
  await redis.kill();
  // Each has noticed that it is gone, so that what follows is answered by the new one.
  for (const store of stores) await eventually('the loss is noticed', async () => isAway(store));
  await redis.start(args);
  for (const store of stores) await eventually('Redis is found again', async () => !(await isAway(store)));
}

async function isAway(store: HistoryStore): Promise<boolean> {
  return Promise.resolve(store.head('chat')).then(
    () => false,
    () => true,
  );
}

const headOf = async (store: HistoryStore): Promise<Head> => (await store.head('chat')) as Head;

test('F30: after a crash with everything logged the epoch stays and positions go on', async () => {
  const redis = await OwnRedis.start(logged.always);
  const store = await open(redis);
  const epoch = await createChat(store);
  for (let position = 2; position < 20; position++) expect(await put(store)).toBe(position);
  const lease = await store.lease('chat', 'node', 60_000);
  await crash(redis, [store]);
  expect(await headOf(store)).toEqual({ epoch, first: 1, last: 19 });
  expect(await put(store, lease?.fence)).toBe(20);
});

test('F30: after a crash that cost the last second all stores go on in one other epoch, from what is there', async () => {
  const redis = await OwnRedis.start(logged.everySecond);
  const [one, two] = [await open(redis), await open(redis)];
  const epoch = await createChat(one);
  await put(one);
  await redis.flushed();
  // What it acknowledges from here on is in no log.
  await redis.command('CONFIG', 'SET', 'appendonly', 'no');
  expect([await put(one), await put(two)]).toEqual([3, 4]);
  const before = await one.read('chat', { from: 1 });
  await crash(redis, [one, two]);
  const heads = [await headOf(one), await headOf(two)];
  expect(heads[0]).toMatchObject({ first: 1, last: 2 });
  expect(heads[0]?.epoch).not.toBe(epoch);
  expect(heads[1]).toEqual(heads[0]);
  expect((await two.read('chat', { from: 1 }))?.entries).toEqual(before?.entries.slice(0, 2));
  // Position 3 is another message's now, in another epoch.
  expect([await put(one), await put(two)]).toEqual([3, 4]);
  expect(await headOf(two)).toMatchObject({ epoch: heads[0]?.epoch, last: 4 });
});

test('F30: what was logged each second before a restart counts, not what is set after it', async () => {
  const redis = await OwnRedis.start(logged.everySecond);
  const store = await open(redis);
  const epoch = await createChat(store);
  await redis.flushed();
  await crash(redis, [store], logged.always);
  const renewed = (await headOf(store)).epoch;
  expect(renewed).not.toBe(epoch);
  await crash(redis, [store]);
  expect((await headOf(store)).epoch).toBe(renewed);
});

test('F30: a Redis that logs nothing has lost every conversation, and begins another epoch', async () => {
  const redis = await OwnRedis.start(logged.never);
  const store = await open(redis);
  const epoch = await createChat(store);
  const { place } = await store.heads([]);
  await crash(redis, [store]);
  expect([await store.head('chat'), await store.get('chat'), await put(store)]).toEqual([null, null, 'missing']);
  await store.revoke('bob');
  expect(await createChat(store)).not.toBe(epoch);
  for (const lost of [place, `${epoch}/9999999999999-0`]) {
    expect((await store.heads([], lost)).revoked.map(({ user }) => user)).toEqual(['bob']);
  }
});

test('F30: FLUSHALL while stores run is found by whoever asks next, and all agree on the epoch that follows', async () => {
  const redis = await OwnRedis.start(logged.always);
  const stores = await Promise.all(Array.from({ length: 8 }, () => open(redis)));
  const [first] = stores as [HistoryStore];
  const epoch = await createChat(first);
  await redis.command('FLUSHALL');
  expect(await put(first)).toBe('missing');
  const created = await Promise.all(
    stores.map((store, i) => {
      const record = recordOf(`chat-${i}`);
      return store.create(record, startOf(record));
    }),
  );
  const epochs = new Set(created.map((it) => it.epoch));
  expect(epochs.size).toBe(1);
  expect(epochs).not.toContain(epoch);
  // The look at the server that each connection begins with finds nothing new.
  expect((await (await open(redis)).head('chat-0'))?.epoch).toBe(created[0]?.epoch);
});

test('F30: without its own key a store goes on with the logs in another epoch, and no list is mixed up', async () => {
  const redis = await OwnRedis.start(logged.always);
  const [one, two] = [await open(redis), await open(redis)];
  const epoch = await createChat(one);
  await put(one);
  const last = recordOf('a zebra');
  await one.create(last, startOf(last));
  await redis.command('DEL', 'haip:meta');
  const answers = await Promise.all([put(one), put(two), headOf(one), headOf(two)]);
  expect(answers.slice(0, 2).sort()).toEqual([3, 4]);
  const { epoch: renewed } = await headOf(one);
  expect(renewed).not.toBe(epoch);
  expect(await headOf(two)).toEqual({ epoch: renewed, first: 1, last: 4 });
  const later = recordOf('later');
  await two.create(later, startOf(later));
  expect((await one.list('ann')).transactions.map(({ transaction }) => transaction)).toEqual([
    'later',
    'a zebra',
    'chat',
  ]);
});

test('F30: a lease of an epoch that is over fits nothing, and its fence is never given again [one lease per agent]', async () => {
  const redis = await OwnRedis.start(logged.everySecond);
  const store = await open(redis);
  await createChat(store);
  const fences: number[] = [];
  const record = { done: 1, begun: 0, tries: 0 };
  for (let run = 0; run < 3; run++) {
    const lease = await store.lease('chat', 'node-1', 3_600_000);
    fences.push(lease?.fence ?? 0);
    await store.saveLease('chat', fences[run] ?? 0, record);
    await redis.flushed();
    await crash(redis, [store]);
    expect(await put(store, fences[run])).toBe('lease');
    await store.saveLease('chat', fences[run] ?? 0, { done: 99, begun: 0, tries: 0 });
  }
  // Another node need not wait for it to run out, and finds how far the log was.
  const lease = await store.lease('chat', 'node-2', 1000);
  expect(lease?.record).toEqual(record);
  expect(new Set([...fences, lease?.fence]).size).toBe(4);
  expect(await put(store, lease?.fence)).toBe(2);
});

test('F30: where a replica may take over, a restart is another epoch however much is logged', async () => {
  const redis = await OwnRedis.start(logged.always);
  const replica = await OwnRedis.start(logged.never);
  await replica.command('REPLICAOF', '127.0.0.1', String(redis.port));
  await eventually('the replica follows', async () =>
    /connected_slaves:1/.test(String(await redis.command('INFO', 'replication'))),
  );
  const store = await open(redis);
  const epoch = await createChat(store);
  await eventually('the replica has it', async () => (await replica.command('EXISTS', 'haip:log:{chat}')) === 1);

  await redis.kill();
  await replica.command('REPLICAOF', 'NO', 'ONE');
  const after = await open(replica);
  const head = await headOf(after);
  expect(head).toMatchObject({ first: 1, last: 1 });
  expect(head.epoch).not.toBe(epoch);
});

test('a replica is not written to: a store says so at its start', async () => {
  const redis = await OwnRedis.start(logged.never);
  const replica = await OwnRedis.start(logged.never);
  await replica.command('REPLICAOF', '127.0.0.1', String(redis.port));
  await expect(redisHistory({ url: replica.url, logger: () => {} })).rejects.toThrow(
    /expected a Redis that takes writes.*slave/,
  );
});

test('keys of a later layout are left alone: a store says so at its start', async () => {
  const redis = await OwnRedis.start(logged.never);
  await createChat(await open(redis));
  await redis.command('HSET', 'haip:meta', 'format', '2');
  await expect(redisHistory({ url: redis.url, logger: () => {} })).rejects.toThrow(/FORMAT of the keys is 2.*knows 1/);
});
