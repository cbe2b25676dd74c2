// What was stored is there no more: streams deleted, purged, set back. Then the epoch is another one, for every node, and no
// position of the old one ever stands for something else.
import { setTimeout as pause } from 'node:timers/promises';
import type { Head, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { natsHistory } from '../src/index.ts';
import { OwnServer } from './own-server.ts';

const createChat = (store: HistoryStore, id = 'chat') => store.create(recordOf(id), startOf(recordOf(id)));
const headOf = async (store: HistoryStore, id = 'chat') => (await store.head(id)) as Head;

/** What answers now, however often it takes. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await pause(20);
    }
  }
}

async function byHand(server: OwnServer, work: (jsm: JetStreamManager) => Promise<unknown>): Promise<void> {
  const nc = await connect({ servers: server.servers });
  await work(await jetstreamManager(nc));
  await nc.close();
}

test.each([
  [
    'deleted',
    async (jsm: JetStreamManager) =>
      void (await Promise.all(['haip', 'haip_index'].map((name) => jsm.streams.delete(name)))),
  ],
  [
    'purged',
    async (jsm: JetStreamManager) =>
      void (await Promise.all(['haip', 'haip_index'].map((name) => jsm.streams.purge(name)))),
  ],
])('F33: streams that were %s under open stores begin another epoch, the same for all nodes', async (_what, lose) => {
  const server = await OwnServer.start();
  const nodes = [await natsHistory({ servers: server.servers }), await natsHistory({ servers: server.servers })];
  const [one, other] = nodes as [HistoryStore, HistoryStore];
  await createChat(one);
  const { epoch } = await headOf(other);
  await byHand(server, lose);
  expect(await eventually(async () => one.head('chat'))).toBeNull();
  const { created } = await eventually(async () => createChat(one));
  expect(created).toBe(true);
  const late = draft();
  await one.append('chat', [late]);
  expect(late.outcome).toEqual({ kind: 'stored', position: 2 });
  const renewed = (await headOf(one)).epoch;
  expect(renewed).not.toBe(epoch);
  // The other node learns it by the check of positions, if by nothing before.
  const { heads } = await eventually(async () => other.heads(['chat']));
  expect(heads).toEqual([{ epoch: renewed, first: 1, last: 2 }]);
  for (const store of nodes) await store.close();
});

test('F33, I12: a NATS that comes back with less than it had acknowledged begins another epoch, as a node that was there notices', async () => {
  const server = await OwnServer.start();
  const [one, other] = [await natsHistory({ servers: server.servers }), await natsHistory({ servers: server.servers })];
  await createChat(one);
  await one.append('chat', [draft(), draft()]);
  await server.stop();
  const setBack = server.keep();
  await server.start();
  const { epoch } = await eventually(() => headOf(one));
  await one.append('chat', [draft(), draft()]);
  expect(await headOf(other)).toEqual({ epoch, first: 1, last: 5 });
  const lost = await one.lease('chat', 'one', 60_000);
  await server.stop('SIGKILL');
  setBack();
  await server.start();
  const after = await eventually(() => headOf(one));
  expect(after).toMatchObject({ first: 1, last: 3 });
  expect(after.epoch).not.toBe(epoch);
  expect(await eventually(() => headOf(other))).toEqual(after);
  const next = draft();
  await other.append('chat', [next]);
  expect(next.outcome).toEqual({ kind: 'stored', position: 4 });
  expect(await headOf(one)).toEqual({ ...after, last: 4 });
  // A fence that was given is not given again, though nothing is left of it.
  const held = await other.lease('chat', 'other', 60_000);
  expect(held?.fence).toBeGreaterThan(lost?.fence ?? Number.POSITIVE_INFINITY);
  // And it is not renewed again by whoever comes later.
  const late = await natsHistory({ servers: server.servers });
  expect(await headOf(late)).toEqual({ ...after, last: 4 });
  for (const store of [one, other, late]) await store.close();
});

test('I12: a set-back is noticed by its log, too, when others have written as much since as was lost', async () => {
  const server = await OwnServer.start();
  const one = await natsHistory({ servers: server.servers });
  await createChat(one);
  await createChat(one, 'other');
  await server.stop();
  const setBack = server.keep();
  await server.start();
  await eventually(() => headOf(one));
  const { epoch } = await headOf(one);
  for (let i = 0; i < 3; i++) await one.append('chat', [draft()]);
  await server.stop('SIGKILL');
  setBack();
  await server.start();
  // A node that knows nothing of it comes first, and writes over the sequences that were lost.
  const stranger = await natsHistory({ servers: server.servers });
  for (let i = 0; i < 10; i++) await stranger.append(i < 5 ? 'other' : 'chat', [draft({ user: 'bob' })]);
  const after = await eventually(() => headOf(one));
  expect(after).toMatchObject({ first: 1, last: 6 });
  expect(after.epoch).not.toBe(epoch);
  const page = await one.read('chat', { from: 2 });
  expect(page?.entries.map(({ user }) => user)).toEqual(Array(5).fill('bob'));
  expect((await stranger.heads(['chat'])).heads).toEqual([after]);
  await one.close();
  await stranger.close();
});
