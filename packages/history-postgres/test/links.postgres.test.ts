// What a network does to the connections to PostgreSQL, by a proxy between.
import type { HistoryStore } from '@haip/protocol';
import { type FaultProxy, faultProxy } from '@haip/testing/fault-proxy';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, onTestFinished, test } from 'vitest';
import { postgresHistory } from '../src/index.ts';
import { temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();
const { hostname, port } = new URL(url);

/** A store whose connections go through a proxy, the transaction `chat` in it. */
async function proxied(): Promise<{ proxy: FaultProxy; open(): HistoryStore; direct: HistoryStore }> {
  const schema = nextSchema();
  const proxy = await faultProxy({ target: { host: hostname, port: Number(port || 5432) } });
  onTestFinished(() => proxy.close());
  const there = new URL(url);
  there.hostname = '127.0.0.1';
  there.port = String(proxy.port);
  const open = (): HistoryStore => postgresHistory({ connectionString: there.href, schema });
  const direct = postgresHistory({ connectionString: url, schema });
  onTestFinished(async () => direct.close());
  const record = recordOf('chat');
  await direct.create(record, startOf(record));
  return { proxy, open, direct };
}

test('F28: an append whose connection is cut at any byte, either way, is stored once, however often it is tried again', {
  timeout: 120_000,
}, async () => {
  const { proxy, open, direct } = await proxied();
  const healthy = open();
  await healthy.append('chat', [draft()]);
  const { up, down } = proxy.last.bytes;
  await healthy.close();
  const cuts = 40;
  const settled: number[] = [];
  let rejected = 0;
  for (let cut = 0; cut < 2 * cuts; cut++) {
    const way = cut % 2 === 0 ? 'up' : 'down';
    const cutAtByte = Math.floor(((way === 'up' ? up : down) * (cut >> 1)) / cuts);
    // The first connection only: the ones after it are in order.
    const links = proxy.links.length;
    proxy.impose((link) => (link === links ? { [way]: { cutAtByte } } : {}));
    const store = open();
    const one = draft();
    while (one.outcome === undefined) {
      try {
        await store.append('chat', [one]);
      } catch (error) {
        expect(error).toMatchObject({ message: expect.stringMatching(/tried again/) });
        rejected++;
      }
    }
    settled.push(one.outcome.kind === 'refused' ? 0 : one.outcome.position);
    await store.close();
  }
  expect(settled).toEqual(settled.map((_, i) => i + 3));
  const page = await direct.read('chat', { from: 1 });
  expect(page?.entries.map(({ position }) => position)).toEqual(Array.from({ length: 2 * cuts + 2 }, (_, i) => i + 1));
  expect(rejected).toBeGreaterThan(0);
});

test('F25: a network that swallows everything without a sign is given up after a while, and what was asked goes another way', {
  timeout: 120_000,
}, async () => {
  const { proxy, open } = await proxied();
  const store = open();
  await store.append('chat', [draft()]);
  for (const link of proxy.links) for (const way of ['up', 'down'] as const) link.mute(way);
  const one = draft();
  const begun = performance.now();
  const asked = [store.append('chat', [one]), store.read('chat', { from: 1 })];
  // New connections are in order: what was asked over the old ones is asked again.
  await Promise.all(asked);
  expect(one.outcome).toEqual({ kind: 'stored', position: 3 });
  expect(performance.now() - begun).toBeLessThan(60_000);
  await store.close();
});
