// NATS is killed, restarted, stands still or loses what it stored, under a store that stays open.
import { setTimeout as pause } from 'node:timers/promises';
import type { Draft, Head, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { natsHistory } from '../src/index.ts';
import { OwnServer } from './own-server.ts';

async function open(server: OwnServer, options: Parameters<typeof natsHistory>[0] = {}): Promise<HistoryStore> {
  return natsHistory({ servers: server.servers, windowSize: 100_000, maxBytes: 2 ** 30, ...options });
}

const createChat = (store: HistoryStore, id = 'chat') => store.create(recordOf(id), startOf(recordOf(id)));
const headOf = async (store: HistoryStore, id = 'chat') => (await store.head(id)) as Head;

/** Appends until it is stored, as a client would that was told nothing. Gives how often it was told nothing. */
async function insist(store: HistoryStore, transaction: string, one: Draft): Promise<number> {
  for (let failed = 0; ; failed++) {
    try {
      await store.append(transaction, [one]);
      return failed;
    } catch {
      // The outcome is unknown: the same draft again.
    }
  }
}

async function idsOf(store: HistoryStore, transaction: string): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const page = await store.read(transaction, { from: ids.length + 1, maxEntries: 2000, maxBytes: 2 ** 24 });
    if (page === null || page.entries.length === 0) return ids;
    for (const { position, id } of page.entries) {
      expect(position).toBe(ids.length + 1);
      ids.push(id);
    }
  }
}

test('F33: NATS killed and restarted under load, again and again: what was acknowledged is there once, in its place', async () => {
  const server = await OwnServer.start();
  const nodes = [await open(server), await open(server)];
  const chats = ['chat-0', 'chat-1', 'chat-2'];
  for (const chat of chats) await createChat(nodes[0] as HistoryStore, chat);
  const { epoch } = await headOf(nodes[0] as HistoryStore, 'chat-0');
  let isOver = false;
  const written = await Promise.all([
    ...nodes.flatMap((store) =>
      chats.map(async (chat) => {
        const drafts: Draft[] = [];
        while (!isOver) {
          const one = draft();
          await insist(store, chat, one);
          drafts.push(one);
        }
        return { chat, drafts };
      }),
    ),
    (async () => {
      for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const) {
        await pause(300);
        await server.stop(signal);
        await server.start();
      }
      await pause(300);
      isOver = true;
      return { chat: '', drafts: [] };
    })(),
  ]);
  for (const store of [...nodes, await open(server)]) {
    for (const chat of chats) {
      const ids = await idsOf(store, chat);
      const drafts = written.filter((of) => of.chat === chat).flatMap((of) => of.drafts);
      expect(ids.length).toBe(drafts.length + 1);
      expect(drafts.length).toBeGreaterThan(20);
      for (const { id, outcome } of drafts) {
        expect(outcome?.kind).toMatch(/^(stored|repeat)$/);
        expect(ids[outcome && 'position' in outcome ? outcome.position - 1 : -1]).toBe(id);
      }
    }
    expect((await headOf(store, 'chat-0')).epoch).toBe(epoch);
    await store.close();
  }
});

test('F25: while NATS is away all that is asked rejects in time and says that it may be tried again; when it is back, so is the store', async () => {
  const server = await OwnServer.start();
  const store = await open(server, { timeoutMs: 300 });
  await createChat(store);
  const heard: string[] = [];
  store.listen('node-1', (body) => void heard.push(Buffer.from(body).toString()));
  await server.stop('SIGKILL');
  const one = draft();
  const asked = [
    async () => store.append('chat', [one]),
    async () => store.read('chat', { from: 1 }),
    async () => store.head('chat'),
    async () => store.heads(['chat']),
    async () => store.get('chat'),
    async () => store.list('ann'),
    async () => store.lease('chat', 'node', 1000),
    async () => store.revoke('ann'),
    async () => store.create(recordOf('other'), startOf(recordOf('other'))),
  ];
  const since = performance.now();
  for (const result of await Promise.allSettled(asked.map((ask) => ask()))) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'NatsUnavailable' } });
  }
  // Late by what a busy machine takes, not by what NATS does.
  expect(performance.now() - since).toBeLessThan(5000);
  expect(one.outcome).toBeUndefined();
  await server.start();
  await insist(store, 'chat', one);
  expect(one.outcome).toEqual({ kind: 'stored', position: 2 });
  while (heard.length === 0) {
    await store.notify('node-1', Buffer.from('again'));
    await pause(5);
  }
  expect(heard[0]).toBe('again');
  await store.close();
});

test('a NATS that stands still is the same as one that is away', async () => {
  const server = await OwnServer.start();
  const store = await open(server, { timeoutMs: 300 });
  await createChat(store);
  server.signal('SIGSTOP');
  const one = draft();
  await expect((async () => store.append('chat', [one]))()).rejects.toThrow(
    /did not answer within 300 ms.*tried again/,
  );
  server.signal('SIGCONT');
  await insist(store, 'chat', one);
  // It was on its way all the time: what was unknown turns out to be stored.
  expect(one.outcome).toMatchObject({ position: 2 });
  expect(await idsOf(store, 'chat')).toHaveLength(2);
  await store.close();
});

test('after a restart of NATS a node hears again of what others append, and what it missed it is told at once', async () => {
  const server = await OwnServer.start();
  const [one, other] = [await open(server), await open(server)];
  await createChat(one);
  await other.head('chat');
  const heard: string[] = [];
  other.watch((transaction) => void heard.push(transaction));
  await server.stop();
  await server.start();
  while (heard.length === 0) await pause(5);
  expect(await other.head('chat')).toMatchObject({ last: 1 });
  heard.length = 0;
  await insist(one, 'chat', draft());
  while (heard.length === 0) await pause(5);
  expect(heard[0]).toBe('chat');
  await one.close();
  await other.close();
});

test('F23: streams on disk keep their epoch over any restart of NATS; those in memory begin another one with each', async () => {
  for (const [storage, isKept] of [
    ['file', true],
    ['memory', false],
  ] as const) {
    const server = await OwnServer.start();
    const store = await open(server, { storage });
    expect(store.supports).toEqual({ durable: storage === 'file', shared: true });
    await createChat(store);
    const { epoch } = await headOf(store);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await server.stop(signal);
      await server.start();
      const again = await open(server, { storage });
      await createChat(again);
      expect([storage, (await headOf(again)).epoch === epoch]).toEqual([storage, isKept]);
      expect((await headOf(store)).epoch).toBe((await headOf(again)).epoch);
      await again.close();
    }
    await store.close();
  }
});
