import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  coverage,
  entriesOf,
  errorsOf,
  join,
  say,
  seeEntry,
  settled,
  start,
  testServer,
  userOf,
} from './support.ts';
import { mute } from './tools.ts';

describe('membership', () => {
  test('[TX-5] is stored once for each user, however many connections come and go', async () => {
    const { enter, history } = testServer();
    const ada = await enter('ada');
    const { id } = await start(ada);
    const eves = [await enter('eve'), await enter('eve')];
    for (const eve of eves) await join(eve, id);
    for (const eve of eves) eve.link.cut();
    await join(await enter('eve'), id);
    await join(await enter('ada'), id);
    const page = await history.read(id, { from: 1 });

    expect(page?.entries.map(({ type, user }) => [type, user])).toEqual([
      ['TRANSACTION_START', 'ada'],
      ['TRANSACTION_JOIN', 'eve'],
    ]);
  });

  test('[TX-6] ends with a LEAVE when the user left everywhere; nothing is read for the connection after it', async () => {
    const { enter, history, clock } = testServer();
    const ada = await enter('ada');
    const { id } = await start(ada);
    const [one, two] = [await enter('eve'), await enter('eve')];
    for (const eve of [one, two]) await join(eve, id);
    const leave = { type: 'TRANSACTION_LEAVE', transaction: id };
    await settled(one, one.send(leave));
    const before = one.received.length;
    await say(ada, id, 'to those who stayed');
    await seeEntry(two, { payload: 'to those who stayed' });
    await clock.settle();
    expect(one.received).toHaveLength(before);
    expect((await history.read(id, { from: 1 }))?.entries.map(({ type }) => type)).not.toContain('TRANSACTION_LEAVE');
    await settled(two, two.send(leave));
    await settled(two, two.send(leave));
    const types = (await history.read(id, { from: 1 }))?.entries.map(({ type }) => type);

    expect(types?.filter((type) => type === 'TRANSACTION_LEAVE')).toHaveLength(1);
    await join(one, id);
    expect((await history.read(id, { from: 1 }))?.entries.at(-1)).toMatchObject({
      type: 'TRANSACTION_JOIN',
      user: 'eve',
    });
  });
});

test('F55: what was being read for a connection when it left is not sent to it', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const { enter } = testServer({ clock, history, tools: [mute] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'mute');
  const eve = await enter('eve', {}, { highWaterBytes: 500 });
  await join(eve, id);
  eve.link.stall('down');
  for (let n = 0; n < 700; n++) await say(ada, id, `text ${n}`);
  const release = history.holdReads();
  eve.link.resume('down');
  await clock.settle();
  const before = entriesOf(eve).length;
  await settled(eve, eve.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
  release();
  await clock.settle();

  expect(before).toBeLessThan(700);
  expect(entriesOf(eve)).toHaveLength(before);
});

test('[TX-6] a transaction that all have left is in hand no more, while they stay connected', async () => {
  const { enter, server, clock } = testServer();
  const [ada, eve] = [await enter('ada'), await enter('eve')];
  const { id } = await start(ada);
  await join(eve, id);
  expect(server.transactions).toBe(1);
  for (const peer of [ada, eve]) await settled(peer, peer.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
  await clock.settle();

  expect([server.transactions, server.connections]).toEqual([0, 2]);
});

describe('TRANSACTION_END', () => {
  test('F54: has a position; what was stored before is delivered, what comes later is TRANSACTION_ENDED [TX-7]', async () => {
    const { enter } = testServer();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id, epoch } = await start(ada);
    await join(eve, id);
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'last words' });
    const end = ada.send({ type: 'TRANSACTION_END', transaction: id, payload: { reason: 'done' } });
    const late = eve.send({ type: 'MESSAGE', transaction: id, payload: 'too late' });
    const later = ada.send({ type: 'MESSAGE', transaction: id, payload: 'too late' });
    const ended = await seeEntry(eve, { type: 'TRANSACTION_END' });

    expect(ended).toMatchObject({ payload: { reason: 'done' }, id: end.id, channel: 'SYSTEM' });
    expect(await answerTo(ada, end)).toMatchObject({ seq: ended.seq, payload: { kind: 'receipt' } });
    for (const [peer, sent] of [
      [eve, late],
      [ada, later],
    ] as const) {
      expect((await answerTo(peer, sent)).payload).toMatchObject({ code: 'TRANSACTION_ENDED', retry: false });
    }
    const reader = await enter('ada');
    expect((await join(reader, id, { epoch, seq: '0' })).payload).toMatchObject({ verdict: 'resumed' });
    await seeEntry(reader, { type: 'TRANSACTION_END' });
    expect(entriesOf(reader).map(({ payload }) => payload)).toContain('last words');
  });

  test('F54: is read again by a JOIN on the connection that read it: from where that says [JOIN-9]', async () => {
    const { enter, clock } = testServer();
    const ada = await enter();
    const { id, epoch } = await start(ada);
    await answerTo(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));

    expect((await join(ada, id)).payload).toMatchObject({ verdict: 'resumed', seq: '0', last: '2' });
    expect((await join(ada, id, { epoch, seq: '1' })).payload).toMatchObject({ verdict: 'resumed', seq: '1' });
    await clock.settle();
    expect(coverage(ada, id).map(([, to]) => to)).toEqual([1, 2, 1, 2, 2]);
  });

  test('[TX-7] is for the starter and who may; another reader gets UNAUTHORIZED', async () => {
    const rights = { permissions: { TRANSACTION_JOIN: ['*'], MESSAGE: ['*'] } };
    const { enter } = testServer({ authenticate: (auth) => userOf(auth.user, rights) });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    const error = await answerTo(eve, eve.send({ type: 'TRANSACTION_END', transaction: id }));
    expect(error.payload).toMatchObject({ code: 'UNAUTHORIZED' });

    expect((await answerTo(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }))).payload.kind).toBe('receipt');
  });

  test('[TX-8] is the end of what is still open: its parts are refused', async () => {
    const { enter } = testServer();
    const ada = await enter();
    const { id } = await start(ada);
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } });
    ada.send({ type: 'TRANSACTION_END', transaction: id });
    const part = ada.send({ type: 'MESSAGE_PART', transaction: id, payload: { message_id: 'm', text: 'x' } });
    const end = ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } });

    expect((await answerTo(ada, part)).payload).toMatchObject({ code: 'TRANSACTION_ENDED' });
    expect((await answerTo(ada, end)).payload).toMatchObject({ code: 'TRANSACTION_ENDED' });
  });
});

test('[TX-6] a LEAVE of what has ended meanwhile is settled: there is nothing more to leave', async () => {
  const { enter } = testServer();
  const ada = await enter('ada');
  const { id } = await start(ada);
  const eve = await enter('eve');
  await join(eve, id);
  await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
  await settled(eve, eve.send({ type: 'TRANSACTION_LEAVE', transaction: id }));

  expect(errorsOf(eve)).toEqual([]);
});
