// Three servers, each message on all of them: two nodes write, and the server that leads is killed under them. (The whole
// contract holds there, too: 75 laws in 100 s, most of it for making streams. Here are those on several nodes.)
import { setTimeout as pause } from 'node:timers/promises';
import type { Draft, HistoryPage, HistoryStore } from '@haip/protocol';
import { historyStoreLaws, runHistoryLaw } from '@haip/testing';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { beforeAll, expect, test } from 'vitest';
import { OwnCluster } from './own-server.ts';
import { opener } from './streams.ts';

let cluster: OwnCluster;
beforeAll(async () => {
  cluster = await OwnCluster.start();
});
const { open, optionsOf } = opener({ replicas: 3, windowSize: 100_000, maxBytes: 2 ** 30 });

async function openHere(options: Parameters<typeof open>[0] = {}): Promise<HistoryStore> {
  for (;;) {
    try {
      return await open({ ...options, servers: cluster.servers });
    } catch (error) {
      // They are still finding each other.
      if (!/NATS/.test((error as Error).message)) throw error;
      await pause(50);
    }
  }
}

const laws = historyStoreLaws.filter(({ name }) => /underway together|process|random work|asks, once/.test(name));

test.each(laws)('on a cluster, too: $name', async (law) => {
  const twin = (store: HistoryStore): Promise<HistoryStore> => openHere(optionsOf(store));
  await runHistoryLaw(law, { create: (options) => openHere(options), twin, reopen: twin });
});

/** Whoever leads the stream of the logs now. */
async function leaderOf(name: string): Promise<string> {
  const nc = await connect({ servers: cluster.servers });
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: 1000 });
  for (;;) {
    const leader = await jsm.streams.info(name).then(
      ({ cluster: of }) => of?.leader,
      () => undefined,
    );
    if (leader) {
      await nc.close();
      return leader;
    }
    await pause(50);
  }
}

/**
 * A log, once it has so many entries. A server that just came to lead may be behind by what the one before acknowledged last,
 * and a node that did not write that cannot tell.
 */
async function readUpTo(store: HistoryStore, chat: string, count: number): Promise<HistoryPage | null> {
  for (const until = performance.now() + 5000; ; ) {
    const page = await store.read(chat, { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
    if ((page?.entries.length ?? 0) >= count || performance.now() > until) return page;
    await pause(50);
  }
}

test('F33: the server that leads is killed under load, twice: what was acknowledged is there once, and the epoch stays', async () => {
  const one = await openHere();
  const nodes = [one, await openHere(optionsOf(one))];
  const chats = ['chat-0', 'chat-1'];
  for (const chat of chats) await one.create(recordOf(chat), startOf(recordOf(chat)));
  const { epoch } = (await one.head('chat-0')) ?? {};
  let isOver = false;
  const written = nodes.flatMap((store) =>
    chats.map(async (chat) => {
      const drafts: Draft[] = [];
      while (!isOver) {
        const next = draft();
        for (let isDone = false; !isDone; ) {
          isDone = await (async () => store.append(chat, [next]))().then(
            () => true,
            () => false,
          );
        }
        drafts.push(next);
      }
      return { chat, drafts };
    }),
  );
  for (let times = 0; times < 2; times++) {
    await pause(500);
    const leader = cluster.one(await leaderOf(optionsOf(one).name ?? ''));
    await leader.stop('SIGKILL');
    await pause(2000);
    await leader.start();
    await leaderOf(optionsOf(one).name ?? '');
  }
  isOver = true;
  const all = await Promise.all(written);
  for (const chat of chats) {
    const drafts = all.filter((of) => of.chat === chat).flatMap((of) => of.drafts);
    expect(drafts.length).toBeGreaterThan(20);
    for (const store of nodes) {
      const page = await readUpTo(store, chat, drafts.length + 1);
      const entries = page?.entries ?? [];
      const stored = new Set(entries.map(({ id }) => id));
      expect(drafts.filter(({ id }) => !stored.has(id)).map(({ id, outcome }) => ({ id, outcome }))).toEqual([]);
      expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
      expect(page?.epoch).toBe(epoch);
      expect(entries).toHaveLength(drafts.length + 1);
      for (const { id, outcome } of drafts) {
        expect(outcome?.kind).toMatch(/^(stored|repeat)$/);
        expect(entries[outcome && 'position' in outcome ? outcome.position - 1 : -1]?.id).toBe(id);
      }
    }
  }
  for (const store of nodes) await store.close();
});
