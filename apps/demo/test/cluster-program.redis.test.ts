// The program that starts two servers, as people start it where there is no terminal.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { answers } from '../cluster/cluster.ts';
import { freePort, type OwnRedis, startRedis } from './own-redis.ts';

/** Each node starts twice, and what a killed one left open is closed when its lease lapses: that takes a while. */
const timeout = 180_000;
const patience = { timeout: 60_000 };

let redis: OwnRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

function start(env: Readonly<Record<string, string>>) {
  const main = fileURLToPath(new URL('../cluster/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@haip/source', main], {
    env: { ...process.env, FORCE_COLOR: undefined, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const hear = (bytes: Buffer): void => {
    said += String(bytes);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, ended, told: () => said };
}

test('without a terminal it plays a round by itself: both nodes are killed, and nothing is lost or comes twice', {
  timeout,
}, async () => {
  const { ended, told } = start({ HAIP_REDIS_URL: redis.url });
  expect([await ended, told()]).toEqual([0, expect.stringContaining('over websocket')]);
  for (const node of ['node 1', 'node 2']) expect(told()).toContain(`${node}  ✕ killed (SIGKILL)`);
  for (const name of ['websocket', 'sse', 'http']) {
    expect(told()).toContain(`over ${name} all 300 numbers came once and in order`);
  }
  // Nobody reads colours in a file.
  expect(told()).not.toContain('\u001b');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', null],
] as const)(
  'F24: ended by %s in the middle of it, it leaves no server behind',
  { timeout },
  async (signal, expected) => {
    const { child, ended, told } = start({ HAIP_REDIS_URL: redis.url });
    await vi.waitFor(() => expect(told()).toContain('… answers in conversation'), patience);
    const ports = [...told().matchAll(/listens on port (\d+)/g)].map(([, port]) => Number(port));
    expect(ports).toHaveLength(2);
    child.kill(signal);
    expect(await ended).toBe(expected);
    for (const port of ports) await expect.poll(() => answers(`tcp://127.0.0.1:${port}`), patience).toBe(false);
  },
);

test('without a Redis it says in one line what to start, and tells nobody the password', async () => {
  const { ended, told } = start({ HAIP_REDIS_URL: `redis://user:secret@127.0.0.1:${await freePort()}` });
  expect(await ended).toBe(1);
  expect(told()).toMatch(/^HAIP cluster: no Redis at 127\.0\.0\.1:\d+: start redis-server[^\n]*\n$/);
});

test('a port that somebody else has is an error in one line, and no server is started', async () => {
  const other = createServer().listen(0, 'localhost');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { ended, told } = start({ HAIP_REDIS_URL: redis.url, PORT: String(port) });
  expect(await ended).toBe(1);
  expect(told()).toBe(`HAIP cluster: PORT ${port} is taken.\n`);
  other.close();
});
