// What is let go of, when, and that it is gone from the server, too.
import type { Draft, HistoryStore } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { opener, servers } from './streams.ts';

const DAY = 86_400_000;
const { open, optionsOf } = opener({}, { snapshotEvery: 8, inlineBytes: 5000, partBytes: 20_000 });
let nc: NatsConnection;
let jsm: JetStreamManager;

beforeAll(async () => {
  nc = await connect({ servers });
  jsm = await jetstreamManager(nc);
});
afterAll(() => nc.close());

const create = (store: HistoryStore, id: string, starter = 'ann') => {
  const record = recordOf(id, { starter });
  return store.create(record, startOf(record));
};

/** How many messages lie on each subject, and how many bytes there are in all. */
async function stored(
  store: HistoryStore,
): Promise<{ logs: Record<string, number>; index: Record<string, number>; bytes: number }> {
  const { name = '' } = optionsOf(store);
  const [logs, index] = await Promise.all(
    [name, `${name}_index`].map((stream) => jsm.streams.info(stream, { subjects_filter: '>' })),
  );
  return {
    logs: logs?.state.subjects ?? {},
    index: index?.state.subjects ?? {},
    bytes: logs?.state.bytes ?? 0,
  };
}

test('what the window let go of is gone from the server, and answers that were written bit by bit leave one message each', async () => {
  const store = await open({ windowSize: 20 });
  await create(store, 'chat');
  const piece = (messageId: string, type: string, step: 'open' | 'part' | 'end', text?: string): Draft =>
    draft({
      user: null,
      type,
      payload: { message_id: messageId, ...(text === undefined ? {} : { text }) },
      subject: { key: `message:${messageId}`, step },
    });
  for (let i = 0; i < 60; i++) {
    const begin = piece(`m${i}`, 'MESSAGE_START', 'open');
    await store.append('chat', [begin]);
    for (let part = 0; part < 10; part++)
      await store.append('chat', [piece(`m${i}`, 'MESSAGE_PART', 'part', 'x'.repeat(50))]);
    const end = piece(`m${i}`, 'MESSAGE_END', 'end', 'x'.repeat(500));
    await store.append('chat', [end]);
    if (begin.outcome?.kind !== 'stored' || end.outcome?.kind !== 'stored') throw new Error('expected stored');
    await store.compact('chat', { messageId: `m${i}`, start: begin.outcome.position, end: end.outcome.position });
  }
  await store.close();
  const again = await open(optionsOf(store));
  const page = await again.read('chat', { from: 1 });
  expect(page?.entries.map(({ type }) => type)).toEqual(Array(20).fill('MESSAGE_END'));
  // 20 ENDs, and the links since the last snapshot: some for every eight, and a quarter of what is remembered.
  const { logs } = await stored(again);
  expect(Object.keys(logs)).toHaveLength(1);
  expect(Object.values(logs)[0]).toBeLessThan(20 + 700);
  await again.close();
});

test('bytes that were trimmed do not stay on the server', async () => {
  const store = await open({ windowSize: 3 });
  await create(store, 'chat');
  for (let i = 0; i < 40; i++) {
    await store.append('chat', [draft({ type: 'AUDIO', payload: {}, bytes: new Uint8Array(100_000).fill(i) })]);
  }
  await store.close();
  const again = await open(optionsOf(store));
  const page = await again.read('chat', { from: 1 });
  expect(page?.entries.map(({ bytes }) => bytes?.[99_999])).toEqual([37, 38, 39]);
  expect((await stored(again)).bytes).toBeLessThan(20 * 100_000);
  await again.close();
});

test('what ran out of its time goes from the server, too, with nobody asking for it', async () => {
  const clock = fakeClock();
  const store = await open({ clock, windowTime: '1h' });
  await create(store, 'quiet');
  await create(store, 'busy');
  await store.append('quiet', [draft({ payload: 'x'.repeat(100_000), size: 100_000 })]);
  await clock.advance(3_600_000);
  await vi.waitFor(
    async () => {
      await store.append('busy', [draft()]);
      expect((await stored(store)).bytes).toBeLessThan(100_000);
    },
    { timeout: 30_000, interval: 50 },
  );
  expect(await store.head('quiet')).toMatchObject({ first: 3, last: 2 });
  await store.append('quiet', [draft()]);
  expect(await store.head('quiet')).toMatchObject({ first: 3, last: 3 });
  await store.close();
});

test('a transaction goes 30 days after its last entry, and all of it', async () => {
  const clock = fakeClock();
  const store = await open({ clock });
  await create(store, 'chat');
  await store.append('chat', [draft({ type: 'TRANSACTION_JOIN', user: 'bob', payload: {} })]);
  await create(store, 'busy', 'cleo');
  expect((await store.list('bob')).transactions).toHaveLength(1);
  await clock.advance(30 * DAY - 1);
  expect(await store.get('chat')).not.toBeNull();
  await clock.advance(1);
  await vi.waitFor(
    async () => {
      await store.append('busy', [draft()]);
      expect(await store.get('chat')).toBeNull();
      expect(Object.keys((await stored(store)).logs)).toHaveLength(1);
    },
    { timeout: 30_000, interval: 50 },
  );
  expect([(await store.list('ann')).transactions, (await store.list('bob')).transactions]).toEqual([[], []]);
  expect(await store.get('busy')).not.toBeNull();
  const gone = draft();
  await store.append('chat', [gone]);
  expect(gone.outcome).toEqual({ kind: 'refused', why: 'missing' });
  // Its reference is free: the same again makes another one.
  const again = recordOf('chat again', { referenceId: 'reference-of-chat' });
  expect(await store.create(again, startOf(again))).toMatchObject({ created: true });
  await store.close();
});

test('ids are forgotten 15 minutes after the window, and with them what ended', async () => {
  const clock = fakeClock();
  const store = await open({ clock, windowTime: '1m' });
  await create(store, 'chat');
  const one = draft();
  const run = (type: string, step: 'open' | 'end'): Draft =>
    draft({ type, run_id: 'r', payload: {}, subject: { key: 'run:r', step } });
  await store.append('chat', [one, run('RUN_STARTED', 'open'), run('RUN_FINISHED', 'end')]);
  await clock.advance(14 * 60_000);
  await store.append('chat', [draft()]);
  const again = run('RUN_STARTED', 'open');
  await store.append('chat', [again]);
  expect([(await store.find('chat', 'ann', one.id))?.position, again.outcome?.kind]).toEqual([2, 'refused']);
  await clock.advance(2 * 60_000);
  await store.append('chat', [draft()]);
  expect(await store.find('chat', 'ann', one.id)).toBeNull();
  const anew = run('RUN_STARTED', 'open');
  await store.append('chat', [anew]);
  expect(anew.outcome?.kind).toBe('stored');
  await store.close();
});

test('F27: a store that is full refuses what may be tried again, goes on reading, and takes it once there is room', async () => {
  const store = await open();
  await create(store, 'chat');
  const { name = '' } = optionsOf(store);
  await jsm.streams.update(name, { max_bytes: 300_000 });
  const large = (): Draft => draft({ payload: 'x'.repeat(20_000), size: 20_000 });
  let kept = 1;
  let refused = large();
  for (;;) {
    try {
      await store.append('chat', [refused]);
    } catch (error) {
      expect((error as Error).message).toMatch(/did not store it.*maximum bytes.*may be tried again/);
      break;
    }
    kept++;
    refused = large();
  }
  expect(kept).toBeGreaterThan(5);
  expect(refused.outcome).toBeUndefined();
  expect((await store.read('chat', { from: 1, maxBytes: 1e9 }))?.entries).toHaveLength(kept);
  await jsm.streams.update(name, { max_bytes: 3_000_000 });
  await store.append('chat', [refused]);
  expect(refused.outcome).toEqual({ kind: 'stored', position: kept + 1 });
  expect((await store.read('chat', { from: 1, maxBytes: 1e9 }))?.entries).toHaveLength(kept + 1);
  await store.close();
});
