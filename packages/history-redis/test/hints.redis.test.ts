// Hints between stores: told to others only, and told again once a connection that was lost is back.
import type { HistoryStore } from '@haip/protocol';
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

const append = async (store: HistoryStore, transaction = 'chat'): Promise<void> => store.append(transaction, [draft()]);

async function createChat(store: HistoryStore): Promise<void> {
  const record = recordOf('chat');
  await store.create(record, startOf(record));
}

test('a store hears of what others append and revoke, and nothing of its own', async () => {
  const redis = await OwnRedis.start(logged.never);
  const [one, two] = [await open(redis), await open(redis)];
  const heard: string[][] = [[], []];
  for (const [i, store] of [one, two].entries()) {
    store.watch(
      (transaction) => heard[i]?.push(transaction),
      (user) => heard[i]?.push(`revoked ${user}`),
    );
  }
  await createChat(one);
  await append(one);
  await one.revoke('ann {*}');
  await append(two);
  await eventually('both have heard', () => heard[0]?.length === 1 && heard[1]?.length === 3);
  expect(heard).toEqual([['chat'], ['chat', 'chat', 'revoked ann {*}']]);
});

test('two who watch in one process with the same function are told each, and one may stop', async () => {
  const redis = await OwnRedis.start(logged.never);
  const [one, two] = [await open(redis), await open(redis)];
  let told = 0;
  const tell = (): void => void told++;
  const stops = [two.watch(tell), two.watch(tell)];
  await createChat(one);
  await eventually('both are told', () => told === 2);
  stops[0]?.();
  await append(one);
  await eventually('one is told', () => told === 3);
});

test('F31: subscribers that Redis cuts off subscribe again by themselves, to hints and to topics', async () => {
  const redis = await OwnRedis.start(logged.never);
  const [one, two] = [await open(redis), await open(redis)];
  await createChat(one);
  const changed: string[] = [];
  const told: string[] = [];
  two.watch((transaction) => changed.push(transaction));
  two.listen('node', (body) => told.push(Buffer.from(body).toString()));
  for (let round = 1; round <= 3; round++) {
    expect(await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBeGreaterThanOrEqual(2);
    await eventually('hints are heard again', async () => {
      await append(one);
      return changed.length > 0;
    });
    // What was appended in between is in the log all the same.
    const last = (await one.head('chat'))?.last;
    expect((await two.head('chat'))?.last).toBe(last);
    await eventually('topics are heard again', async () => {
      await one.notify('node', Buffer.from(`round ${round}`));
      return told.includes(`round ${round}`);
    });
    changed.length = 0;
  }
});

test('a topic that is listened to while its connection is away is heard once that is back', async () => {
  const redis = await OwnRedis.start(logged.never);
  const [one, two] = [await open(redis), await open(redis)];
  await redis.kill();
  await eventually('it is gone', async () =>
    Promise.resolve(two.head('chat')).then(
      () => false,
      () => true,
    ),
  );
  const told: string[] = [];
  const stop = two.listen('gone', () => told.push('gone'));
  two.listen('node', () => told.push('node'));
  stop();
  await redis.start();
  await eventually('it is heard', async () => {
    await one.notify('gone', new Uint8Array());
    await one.notify('node', new Uint8Array());
    return told.length > 0;
  });
  expect(told).not.toContain('gone');
});

test('F31: where Redis lets nobody listen or tell, what is appended is stored and seen all the same', async () => {
  const redis = await OwnRedis.start(logged.never);
  const [one, two] = [await open(redis), await open(redis)];
  await createChat(one);
  await redis.command('ACL', 'SETUSER', 'default', 'resetchannels');
  const drafts = [draft(), draft()];
  await eventually('the connection is back', async () =>
    Promise.resolve(one.append('chat', drafts)).then(
      () => true,
      () => false,
    ),
  );
  expect(drafts.map(({ outcome }) => outcome)).toEqual([2, 3].map((position) => ({ kind: 'stored', position })));
  await one.revoke('bob');
  const { place } = await two.heads([]);
  expect((await two.heads(['chat'], place)).heads).toMatchObject([{ first: 1, last: 3 }]);
});
