// While Redis is away everything is refused at once; nothing waits for it, and nothing is sent twice when it is back.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, onTestFinished, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { Link } from '../src/link.ts';
import { eventually } from './eventually.ts';
import { commandTo, logged, OwnRedis } from './redis-server.ts';

type Line = [level: string, event: string, fields: Readonly<Record<string, unknown>> | undefined];

async function open(redis: OwnRedis, lines: Line[] = []): Promise<HistoryStore> {
  const store = await redisHistory({
    url: redis.url,
    windowSize: 10_000,
    logger: (...line) => void lines.push(line as Line),
  });
  onTestFinished(async () => store.close());
  const record = recordOf('chat');
  await store.create(record, startOf(record));
  return store;
}

const failure = (asked: unknown): Promise<string> =>
  Promise.resolve(asked).then(
    () => 'answered',
    (error: Error) => error.message,
  );

test('a store that finds no Redis at its start says where it looked', async () => {
  const redis = await OwnRedis.start(logged.never);
  await redis.kill();
  for (const host of ['127.0.0.1', 'localhost']) {
    const url = `redis://ann:secret@${host}:${redis.port}`;
    await expect(redisHistory({ url, logger: () => {} })).rejects.toThrow(
      new RegExp(`^history: Redis at ${host}:${redis.port} cannot be used \\(.*ECONNREFUSED`),
    );
  }
});

test('F25: while Redis is away everything rejects at once, and goes on once it is back', async () => {
  const redis = await OwnRedis.start(logged.always);
  const lines: Line[] = [];
  const store = await open(redis, lines);
  await redis.kill();
  const asks = [
    () => store.append('chat', [draft()]),
    () => store.read('chat', { from: 1 }),
    () => store.heads(['chat']),
    () => store.lease('chat', 'node', 1000),
    () => store.notify('node', new Uint8Array()),
  ];
  await eventually('it is missed', async () => /cannot be used/.test(await failure(store.head('chat'))));
  const begin = performance.now();
  for (const ask of asks) expect(await failure(ask())).toMatch(/cannot be used .*may be tried again/);
  expect(performance.now() - begin).toBeLessThan(1000);
  await redis.start();
  const one = draft();
  await eventually('it is back', async () => (await failure(store.append('chat', [one]))) === 'answered');
  expect(one.outcome).toEqual({ kind: 'stored', position: 2 });
  expect(lines.map(([, event]) => event)).toEqual(expect.arrayContaining(['redis lost', 'redis found again']));
});

test('F28: what was underway when the connection was lost rejects and is stored once at most; tried again it is a repeat', async () => {
  const redis = await OwnRedis.start(logged.always);
  const store = await open(redis);
  const drafts = Array.from({ length: 2000 }, () => draft());
  let rejected = 0;
  const asked = drafts.map(async (one, i) => {
    if (i === 1000) void redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    // In small groups, so that some are on their way when the connection is cut.
    await new Promise((later) => setTimeout(later, i / 20));
    await Promise.resolve(store.append('chat', [one])).catch(() => rejected++);
  });
  await Promise.all(asked);
  expect(rejected).toBeGreaterThan(0);
  await eventually('it is back', async () => (await failure(store.head('chat'))) === 'answered');
  await store.append('chat', drafts);
  const page = await store.read('chat', { from: 2, maxEntries: 5000, maxBytes: 1e9 });
  expect(page?.entries.map(({ position }) => position)).toEqual(drafts.map((_, i) => i + 2));
  expect(new Set(page?.entries.map(({ id }) => id))).toEqual(new Set(drafts.map(({ id }) => id)));
});

test('F26: a Redis that says nothing any more is given up, and what waited for it rejects', async () => {
  const redis = await OwnRedis.start(logged.always);
  const { url } = redis;
  const link = new Link({ url, address: 'there', name: 'test', logger: () => {}, probeMs: 50, begin: async () => {} });
  await link.start();
  onTestFinished(() => link.close());
  redis.signal('SIGSTOP');
  const asked = link.client;
  expect(await failure(asked.sendCommand(['PING']))).not.toBe('answered');
  expect(() => link.client).toThrow(/Redis at there cannot be used \(no answer for 100 ms\)/);
  redis.signal('SIGCONT');
  await eventually('it is back', () => link.current !== undefined);
  expect(link.current).not.toBe(asked);
  expect(await link.client.sendCommand(['PING'])).toBe('PONG');
});

test('a store closes while Redis is away', async () => {
  const redis = await OwnRedis.start(logged.never);
  const store = await open(redis);
  await redis.kill();
  await eventually('it is missed', async () => (await failure(store.head('chat'))) !== 'answered');
  await store.close();
  expect(await failure(store.head('chat'))).toMatch(/the store is closed/);
});

test('scripts that Redis was told to forget are loaded again', async () => {
  const redis = await OwnRedis.start(logged.always);
  const store = await open(redis);
  await redis.command('SCRIPT', 'FLUSH');
  expect(await failure(store.append('chat', [draft()]))).toMatch(/Redis refused \(NOSCRIPT/);
  const one = draft();
  await eventually('they are back', async () => (await failure(store.append('chat', [one]))) === 'answered');
  expect(one.outcome).toMatchObject({ kind: 'stored', position: 2 });
});

test.each([
  ['redis_version:6.0.16', /expected Redis 6.2 or later, got 6.0.16/],
  ['version:1.6', /expected Redis 6.2 or later, got a server that does not say/],
])('a server that says %s is refused at the start', async (says, message) => {
  const answers: Readonly<Record<string, string>> = {
    HELLO: '%1\r\n+server\r\n+redis\r\n',
    INFO: `$${says.length}\r\n${says}\r\n`,
    CONFIG: '-ERR not here\r\n',
  };
  const fake = createServer((socket: Socket) => {
    socket.on('data', (data) => {
      for (const word of data.toString().split('\r\n')) socket.write(answers[word] ?? '');
    });
  }).listen(0, '127.0.0.1');
  await once(fake, 'listening');
  onTestFinished(() => void fake.close());
  const { port } = fake.address() as AddressInfo;
  await expect(redisHistory({ url: `redis://127.0.0.1:${port}`, logger: () => {} })).rejects.toThrow(message);
});

test('a Redis that may lose what it acknowledged is told of once', async () => {
  for (const [args, keeps] of [
    [logged.never, 'nothing'],
    [logged.everySecond, 'most'],
    [logged.always, undefined],
  ] as const) {
    const redis = await OwnRedis.start(args);
    const lines: Line[] = [];
    const store = await open(redis, lines);
    await store.close();
    const warnings = lines.filter(([, event]) => event === 'redis may lose what is settled');
    expect(warnings.map(([level, , fields]) => [level, fields?.['keeps']])).toEqual(
      keeps === undefined ? [] : [['warn', keeps]],
    );
    expect(await commandTo(redis.url, ['HGET', 'haip:meta', 'sure'])).toBe(keeps === undefined ? '1' : '0');
  }
});
