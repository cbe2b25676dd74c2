// kill -9 in the middle of appends, of the server that writes and of Redis: what was settled is there, in its place, and
// nothing else is broken.
import type { ChildProcess } from 'node:child_process';
import type { HistoryStore } from '@haip/protocol';
import { assertAllThere, draft, type Settled, settledBeforeKill, settledBy } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';
import { logged, OwnRedis } from './redis-server.ts';

const WRITERS_KILLED = 20;
const REDIS_KILLED = 10;
const nextPrefix = temporaryPrefixes();
const program = new URL('./crash-writer.ts', import.meta.url);

const open = (url: string, prefix: string): Promise<HistoryStore> =>
  redisHistory({ url, prefix, windowSize: 1_000_000, maxBytes: 2 ** 30, logger: () => {} });

test(`F23: a server killed in the middle of appends has lost nothing that was settled, ${WRITERS_KILLED} times`, {
  timeout: 240_000,
}, async () => {
  for (let run = 0; run < WRITERS_KILLED; run++) {
    const prefix = nextPrefix();
    const lines = await settledBeforeKill(program, [redisUrl, prefix, 'chat'], 2 + Math.floor(Math.random() * 200));
    const store = await open(redisUrl, prefix);
    await assertAllThere(store, 'chat', lines, { mayRepeat: true });
    const one = draft();
    await store.append('chat', [one]);
    expect(one.outcome?.kind).toBe('stored');
    await store.close();
  }
});

test(`F23: Redis killed under load, its log written always, has lost nothing that was settled, ${REDIS_KILLED} times`, {
  timeout: 240_000,
}, async () => {
  const redis = await OwnRedis.start(logged.always);
  const lines: Settled[] = [];
  let writer: ChildProcess | undefined;
  let [kills, next] = [0, 50];
  let killing: Promise<void> | undefined;
  for await (const line of settledBy(program, [redis.url, 'haip', 'chat'], (child) => (writer = child))) {
    lines.push(line);
    if (lines.length < next) continue;
    await killing;
    if (kills++ === REDIS_KILLED) {
      writer?.kill('SIGKILL');
      next = Number.POSITIVE_INFINITY;
      continue;
    }
    killing = redis.kill().then(() => redis.start());
    next = lines.length + 50 + Math.floor(Math.random() * 400);
  }
  expect(kills).toBe(REDIS_KILLED + 1);
  const store = await open(redis.url, 'haip');
  await assertAllThere(store, 'chat', lines, { mayRepeat: true });
  await store.close();
});
