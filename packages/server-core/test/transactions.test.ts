import type { Envelope } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bothStores, heldStore, lateHistory, testHistory } from './stores.ts';
import {
  answerTo,
  echo,
  entriesOf,
  errorsOf,
  expectContiguous,
  isReceipt,
  join,
  say,
  settled,
  start,
  testServer,
  times,
  userOf,
} from './support.ts';

describe.each(bothStores)('TRANSACTION_START over %s', (_, makeStore) => {
  function setup() {
    const clock = fakeClock();
    return testServer({ clock, history: makeStore(clock) });
  }

  test('[TX-1, TX-4] mints the id, answers with the reference id, and is entry 1', async () => {
    const { enter, history } = setup();
    const peer = await enter();
    const sent = peer.send({
      type: 'START_TRANSACTION',
      transaction: 'mine',
      payload: { toolName: 'echo', params: { title: 'A talk', tone: 'kind' } },
    });
    const reply = await answerTo(peer, sent);
    const receipt = await peer.until(isReceipt);
    const id = reply.transaction as string;

    expect(id).not.toBe('mine');
    expect(reply).toMatchObject({ type: 'TRANSACTION_START', seq: '0' });
    expect(reply.payload).toEqual({ referenceId: 'mine', toolName: 'echo', epoch: expect.any(String) });
    expect(receipt).toMatchObject({ transaction: id, seq: '1', related_id: sent.id });
    const page = await history.read(id, { from: 1 });
    expect(page?.entries).toMatchObject([
      { position: 1, id: sent.id, type: 'TRANSACTION_START', channel: 'SYSTEM', session: peer.session, user: 'ada' },
    ]);
    expect(page?.entries[0]?.payload).toEqual({ toolName: 'echo', params: { title: 'A talk', tone: 'kind' } });
    expect(await history.get(id)).toMatchObject({ title: 'A talk', starter: 'ada', tool: 'echo' });
  });

  test('F56: sent again with its reference id is the same transaction, read from its begin [TX-2]', async () => {
    const { enter } = setup();
    const [one, two] = [await enter(), await enter()];
    const request = { type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'echo' } };
    const first = await answerTo(one, one.send(request));
    await say(one, first.transaction as string, 'hello');
    const second = await answerTo(two, two.send(request));
    await two.until(({ channel }) => channel === 'AGENT');

    expect(second).toMatchObject({ type: 'TRANSACTION_START', transaction: first.transaction });
    expect(second.payload).toEqual(first.payload);
    expect(entriesOf(two).map(({ type, seq }) => [type, seq])).toEqual([
      ['TRANSACTION_START', '1'],
      ['MESSAGE', '2'],
      ['MESSAGE', '3'],
    ]);
  });

  test('F56: sent many times at once, by two connections, makes one transaction', async () => {
    const { enter, history } = setup();
    const peers = [await enter(), await enter()];
    const request = { type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'echo' } };
    const sent = peers.map((peer) => times(4, () => peer.send({ ...request })));
    const ids = new Set();
    for (const [n, peer] of peers.entries()) {
      for (const { id } of sent[n] ?? []) ids.add((await answerTo(peer, { id })).transaction);
    }

    expect(ids.size).toBe(1);
    const page = await history.list('ada');
    expect(page.transactions).toHaveLength(1);
    for (const peer of peers) expect(await say(peer, [...ids][0] as string, 'works')).toBeGreaterThan(1);
  });

  test('A56: with a chosen id gains no right to it', async () => {
    const { enter } = setup();
    const ada = await enter('ada');
    const { id } = await start(ada);
    const eve = await enter('eve', { auth: { user: 'eve' } });
    const reply = await answerTo(
      eve,
      eve.send({ type: 'TRANSACTION_START', transaction: id, payload: { toolName: 'echo' } }),
    );

    expect(reply.transaction).not.toBe(id);
    expect(reply.payload).toMatchObject({ referenceId: id });
  });
});

test('F56: sent twice at once over a store of any lateness it is one transaction, which is let go in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
      const clock = fakeClock();
      const { enter, server } = testServer({ clock, history: lateHistory(clock, seed) });
      const peers = [await enter(), await enter(), await enter()];
      const request = { type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'echo' } };
      const sent = peers.map((peer) => peer.send(request));
      const ids = new Set<string | null>();
      for (const [n, peer] of peers.entries()) ids.add((await answerTo(peer, sent[n] as Envelope)).transaction);
      expect(ids.size).toBe(1);
      const [id] = [...ids] as [string];
      for (const peer of peers) expect(await say(peer, id, 'works')).toBeGreaterThan(1);
      for (const peer of peers) peer.link.cut();
      for (let n = 0; n < 20; n++) await clock.settle();
      expect([server.transactions, clock.pending]).toEqual([0, 0]);
    }),
    { numRuns: 40 },
  );
});

test('F56: retried while the same connection joins, is read once and let go in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
      const clock = fakeClock();
      const { enter, server } = testServer({ clock, history: lateHistory(clock, seed) });
      const request = { type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'echo' } };
      const first = await enter();
      const { transaction } = await answerTo(first, first.send(request));
      const id = transaction as string;
      await say(first, id, 'hello');
      first.link.cut();
      const peer = await enter();
      peer.send({ type: 'TRANSACTION_JOIN', transaction: id });
      peer.send(request);
      await say(peer, id, 'again');
      for (let n = 0; n < 20; n++) await clock.settle();
      expectContiguous(peer, id, 0);
      peer.link.cut();
      for (let n = 0; n < 20; n++) await clock.settle();
      expect([server.connections, server.transactions]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
});

describe('a start that is refused', () => {
  test.each([
    [{}, 'MISSING_TOOL_NAME'],
    [{ toolName: '' }, 'MISSING_TOOL_NAME'],
    [{ toolName: 'nothing' }, 'TOOL_NOT_FOUND'],
    [{ toolName: '__proto__' }, 'TOOL_NOT_FOUND'],
    [{ toolName: 7 }, 'PROTOCOL_VIOLATION'],
  ])('[TX-3] with %j gets %s', async (payload, code) => {
    const { enter } = testServer();
    const peer = await enter();
    const error = await answerTo(peer, peer.send({ type: 'TRANSACTION_START', transaction: 'ref', payload }));

    expect(error).toMatchObject({ type: 'ERROR', transaction: 'ref', payload: { code } });
  });

  test('A56: a permission that names tools allows those and no others, whatever id is chosen [PERM-2]', async () => {
    const authenticate = () => userOf('ada', { permissions: { TRANSACTION_START: ['echo', 'mine'] } });
    const { enter } = testServer({ authenticate, tools: [{ ...echo, name: 'other' }] });
    const peer = await enter();
    const error = await answerTo(
      peer,
      peer.send({ type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'other' } }),
    );

    expect(error.payload).toMatchObject({ code: 'UNAUTHORIZED' });
    expect((await start(peer, 'echo')).id).toBeTruthy();
  });

  test('A32: beyond 16 that wait for the store gets RUN_LIMIT_EXCEEDED', async () => {
    const clock = fakeClock();
    const inner = testHistory(clock);
    const gate = Promise.withResolvers<void>();
    const create: typeof inner.create = (...args) => gate.promise.then(() => inner.create(...args));
    const { enter } = testServer({ clock, history: { ...inner, create } });
    const peer = await enter();
    const sent = times(17, (n) =>
      peer.send({ type: 'TRANSACTION_START', transaction: `ref-${n}`, payload: { toolName: 'echo' } }),
    );
    expect((await answerTo(peer, sent[16] as never)).payload).toMatchObject({
      code: 'RUN_LIMIT_EXCEEDED',
      retry: true,
    });
    gate.resolve();
    for (const _ of sent.slice(1)) await peer.until(isReceipt);

    expect(errorsOf(peer)).toEqual(['RUN_LIMIT_EXCEEDED']);
  });

  test('F25: by a store that fails gets OVERLOADED, and works when it comes again', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const peer = await enter();
    history.failNext('create', 'after');
    await expect(start(peer)).rejects.toThrow('OVERLOADED');

    expect((await start(peer)).id).toBeTruthy();
  });
});

describe('how many transactions one connection may have', () => {
  const limits = { maxJoined: 3 };

  test('A32: one more than the limit is refused, for START as for JOIN', async () => {
    const { enter } = testServer({ limits });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const other = await start(eve);
    for (let n = 0; n < 3; n++) await start(ada);

    await expect(start(ada)).rejects.toThrow('RUN_LIMIT_EXCEEDED');
    expect((await join(ada, other.id)).payload).toMatchObject({ code: 'RUN_LIMIT_EXCEEDED' });
  });

  test('what was left, ended, or never there makes room', async () => {
    const { enter } = testServer({ limits });
    const peer = await enter();
    const [one, two, three] = [await start(peer), await start(peer), await start(peer)];
    await settled(peer, peer.send({ type: 'TRANSACTION_LEAVE', transaction: one.id }));
    const four = await start(peer);
    await settled(peer, peer.send({ type: 'TRANSACTION_END', transaction: two.id }));
    const five = await start(peer);
    for (let n = 0; n < 5; n++) await join(peer, `nowhere-${n}`);
    await expect(start(peer)).rejects.toThrow('RUN_LIMIT_EXCEEDED');

    for (const { id } of [three, four, five]) expect(await say(peer, id, 'works')).toBe(2);
  });
});
