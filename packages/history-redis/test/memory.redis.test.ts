// A Redis with little memory: one that would make room by dropping parts of logs is refused, one that is full is read from.
import type { Draft, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, onTestFinished, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { eventually } from './eventually.ts';
import { logged, OwnRedis } from './redis-server.ts';

const open = (redis: OwnRedis): Promise<HistoryStore> => redisHistory({ url: redis.url, logger: () => {} });

async function opened(redis: OwnRedis): Promise<HistoryStore> {
  const store = await open(redis);
  onTestFinished(async () => store.close());
  const record = recordOf('chat');
  await store.create(record, startOf(record));
  return store;
}

const set = (redis: OwnRedis, name: string, value: string) => redis.command('CONFIG', 'SET', name, value);

async function put(store: HistoryStore, one: Draft = draft()): Promise<Draft> {
  await store.append('chat', [one]);
  return one;
}

test.each(['allkeys-lru', 'volatile-ttl', 'allkeys-random'])(
  'F32: a Redis that evicts by %s is refused at the start',
  async (policy) => {
    const redis = await OwnRedis.start(logged.always);
    await set(redis, 'maxmemory-policy', policy);
    await (await open(redis)).close();
    await set(redis, 'maxmemory', '100mb');
    await expect(open(redis)).rejects.toThrow(
      new RegExp(
        `Redis at 127.0.0.1:${redis.port}.*expected maxmemory-policy noeviction, got ${policy} with maxmemory 104857600`,
      ),
    );
    await set(redis, 'maxmemory-policy', 'noeviction');
    await (await open(redis)).close();
  },
);

test('F32: one that begins to evict while stores run is not used until it stops, and then in another epoch if it has', async () => {
  const redis = await OwnRedis.start(logged.always);
  const store = await opened(redis);
  const epoch = (await store.head('chat'))?.epoch;
  await set(redis, 'maxmemory-policy', 'allkeys-lru');
  await set(redis, 'maxmemory', '100mb');
  const append = async (): Promise<unknown> => put(store).catch((error: Error) => error.message);
  await eventually('it is found', async () => /noeviction, got allkeys-lru/.test(String(await append())));
  await set(redis, 'maxmemory-policy', 'noeviction');
  await eventually('it is used again', async () => typeof (await append()) === 'object');
  expect((await store.head('chat'))?.epoch).toBe(epoch);

  // It drops what would end by itself one day, which are the logs, and not what would tell of it.
  await set(redis, 'maxmemory-policy', 'volatile-lru');
  await set(redis, 'maxmemory', '1mb');
  await eventually(
    'it has dropped some',
    async () => !/evicted_keys:0\r/.test(String(await redis.command('INFO', 'stats'))),
  );
  await set(redis, 'maxmemory-policy', 'noeviction');
  await set(redis, 'maxmemory', '0');
  const after = await open(redis);
  expect(await redis.command('HGET', 'haip:meta', 'run')).toBeTypeOf('string');
  const record = recordOf('after');
  expect((await after.create(record, startOf(record))).epoch).not.toBe(epoch);
  await after.close();
});

test('F27: a Redis that is full refuses what may be tried again, goes on reading, and takes it once there is room', async () => {
  const redis = await OwnRedis.start(logged.always);
  const store = await opened(redis);
  await put(store);
  await set(redis, 'maxmemory', '1mb');
  const refused = draft();
  await expect(put(store, refused)).rejects.toThrow(/Redis refused \(OOM.*the same may be tried again/);
  expect(refused.outcome).toBeUndefined();
  const other = recordOf('other');
  await expect((async () => store.create(other, startOf(other)))()).rejects.toThrow(/OOM/);
  // A store that is opened meanwhile reads, too.
  const reader = await open(redis);
  for (const one of [store, reader]) {
    expect((await one.read('chat', { from: 1 }))?.entries.map(({ position }) => position)).toEqual([1, 2]);
    expect(await one.find('chat', 'ann', refused.id)).toBeNull();
  }
  await reader.close();
  await set(redis, 'maxmemory', '0');
  expect((await put(store, refused)).outcome).toEqual({ kind: 'stored', position: 3 });
});
