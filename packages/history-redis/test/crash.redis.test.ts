// kill -9 in the middle of appends, of the server that writes and of Redis: what was settled is there, in its place, and
// nothing else is broken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HistoryStore, Outcome } from '@haip/protocol';
import { expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { draft } from './drafts.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';
import { logged, OwnRedis } from './redis-server.ts';

const WRITERS_KILLED = 20;
const REDIS_KILLED = 10;
const nextPrefix = temporaryPrefixes();
const program = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

interface Settled {
  readonly epoch?: string;
  readonly author: string;
  readonly id: string;
  readonly outcome: Outcome;
}

/** Starts a writer and gives what it settles, line by line, until it is killed. */
async function* settledBy(args: readonly string[], started: (child: ChildProcess) => void): AsyncGenerator<Settled> {
  const child = spawn(process.execPath, ['--conditions=@haip/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  started(child);
  for await (const line of createInterface({ input: child.stdout })) {
    // A line that the kill cut in two was not said.
    if (line.endsWith('}')) yield JSON.parse(line) as Settled;
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
}

async function expectAllThere(store: HistoryStore, lines: readonly Settled[]): Promise<void> {
  const [{ epoch } = { epoch: undefined }, ...settled] = lines;
  expect(settled.length).toBeGreaterThan(0);
  const head = await store.head('chat');
  expect(head).toMatchObject({ epoch, first: 1 });
  const page = await store.read('chat', { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
  const entries = page?.entries ?? [];
  expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
  expect(entries.length).toBe(head?.last);
  for (const { author, id, outcome } of settled) {
    // What was tried again may have been stored the first time.
    if (outcome.kind === 'refused') throw new Error(`expected a position, got ${JSON.stringify(outcome)}`);
    expect(entries[outcome.position - 1]).toMatchObject({ id, user: author });
    expect(await store.find('chat', author, id)).toMatchObject({ position: outcome.position });
  }
  for (const { type, bytes } of entries) expect(bytes?.length).toBe(type === 'AUDIO' ? 100 : undefined);
}

const open = (url: string, prefix: string): Promise<HistoryStore> =>
  redisHistory({ url, prefix, windowSize: 1_000_000, maxBytes: 2 ** 30, logger: () => {} });

test(`F23: a server killed in the middle of appends has lost nothing that was settled, ${WRITERS_KILLED} times`, {
  timeout: 240_000,
}, async () => {
  for (let run = 0; run < WRITERS_KILLED; run++) {
    const prefix = nextPrefix();
    const lines: Settled[] = [];
    const appends = 2 + Math.floor(Math.random() * 200);
    let writer: ChildProcess | undefined;
    for await (const line of settledBy([redisUrl, prefix, 'chat'], (child) => (writer = child))) {
      lines.push(line);
      if (lines.length === appends) writer?.kill('SIGKILL');
    }
    const store = await open(redisUrl, prefix);
    await expectAllThere(store, lines);
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
  for await (const line of settledBy([redis.url, 'haip', 'chat'], (child) => (writer = child))) {
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
  await expectAllThere(store, lines);
  await store.close();
});
