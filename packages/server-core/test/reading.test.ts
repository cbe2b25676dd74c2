import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import type { ServerLimits } from '../src/index.ts';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  coverage,
  echo,
  entriesOf,
  expectContiguous,
  isPosition,
  isReceipt,
  join,
  say,
  see,
  seeEntry,
  settled,
  start,
  testServer,
  times,
} from './support.ts';
import { streaming } from './tools.ts';

describe('who gets what', () => {
  test("[ACK-7] the writing connection gets a receipt, the session's others and other users the entry", async () => {
    const { enter, connect } = testServer();
    const ada = await enter('ada');
    const { id, epoch } = await start(ada);
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'hello' });
    await seeEntry(ada, { type: 'MESSAGE' });
    const eve = await enter('eve');
    await join(eve, id);
    const token = ada.received.find(({ type }) => type === 'HAI')?.payload.resume_token;
    const resume = [{ transaction: id, epoch, seq: '0' }];
    const later = connect();
    await later.hai({ auth: { user: 'ada' }, resume_token: token, resume });

    expect(await answerTo(ada, sent)).toMatchObject({ seq: '2', payload: { kind: 'receipt' } });
    expect(later.session).toBe(ada.session);
    for (const peer of [eve, later]) {
      const entry = await seeEntry(peer, { payload: 'hello' });
      expect(entry).toMatchObject({ id: sent.id, seq: '2', session: ada.session, channel: 'USER' });
    }
    expect(later.received.filter(isReceipt)).toEqual([]);
  });

  test('[LOG-1] every reader sees the same positions, 1, 2, 3 …', async () => {
    const { enter } = testServer();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    for (let n = 0; n < 5; n++) {
      await say(ada, id, `ada ${n}`);
      await say(eve, id, `eve ${n}`);
    }
    const last = await say(ada, id, 'last');
    await seeEntry(eve, { payload: 'last' });

    for (const peer of [ada, eve]) {
      expect(
        coverage(peer, id)
          .slice(0, last)
          .map(([, seq]) => seq),
      ).toEqual(times(last, (n) => n + 1));
    }
  });

  test('A14: fields that nobody knows are neither stored nor relayed [ENV-8]', async () => {
    const { enter } = testServer();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    const fields = { id: 'm', transaction: id, session: 'x', seq: '3', ts: '7', channel: 'USER', type: 'MESSAGE' };
    void ada.sendText(JSON.stringify({ ...fields, payload: 'hi', extra: 'CANARY', ack: '99', from_seq: '1', pv: 1 }));
    const entry = await seeEntry(eve, { payload: 'hi' });

    expect(Object.keys(entry).toSorted()).toEqual(
      ['id', 'transaction', 'session', 'seq', 'ts', 'channel', 'type', 'payload'].toSorted(),
    );
    expect(entry).toMatchObject({ session: ada.session, seq: '3' });
  });

  test('[HAI-20, READ-3] what is outside accept_events is not sent, a notice covers its position', async () => {
    const { enter } = testServer({ tools: [streaming('one', 'two')] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'streaming');
    const eve = await enter('eve', { accept_events: ['MESSAGE', 'MESSAGE_START', 'MESSAGE_END'] });
    await join(eve, id);
    ada.send({ type: 'AUDIO', transaction: id, payload: { mime: 'audio/ogg' } }, new Uint8Array(8));
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    const end = await seeEntry(eve, { type: 'MESSAGE_END' });
    await see(eve, (envelope) => isPosition(envelope) && Number(envelope.seq) > Number(end.seq));

    expect(new Set(entriesOf(eve).map(({ type }) => type))).toEqual(
      new Set(['MESSAGE', 'MESSAGE_START', 'MESSAGE_END']),
    );
    expectContiguous(eve, id, 0);
    // It was not sent the parts, so the end brings the text.
    expect(end.payload).toMatchObject({ text: 'onetwo' });
  });
});

describe('a message that was streamed', () => {
  test('[READ-5, LOG-11] ends short for who was there, long for who was not; a notice covers what was compacted', async () => {
    const { enter } = testServer({ tools: [streaming('Hel', 'lo')] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'streaming');
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    const live = await seeEntry(ada, { type: 'MESSAGE_END' });
    const eve = await enter('eve');
    await join(eve, id);
    const late = await seeEntry(eve, { type: 'MESSAGE_END' });
    const startSeq = entriesOf(ada).find(({ type }) => type === 'MESSAGE_START')?.seq;

    expect(live.payload).toEqual({ message_id: expect.any(String), start_seq: startSeq });
    expect(late.payload).toEqual({ ...live.payload, text: 'Hello' });
    expect(late).toMatchObject({ id: live.id, seq: live.seq });
    expect(entriesOf(eve).filter(({ type }) => type === 'MESSAGE_START' || type === 'MESSAGE_PART')).toEqual([]);
    expectContiguous(eve, id, 0);
  });

  test('[READ-5] an empty one ends with an empty text', async () => {
    const { enter } = testServer({ tools: [streaming()] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'streaming');
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    const eve = await enter('eve');
    await join(eve, id);

    expect((await seeEntry(eve, { type: 'MESSAGE_END' })).payload.text).toBe('');
  });

  test('[READ-5] that was joined in its middle ends long', async () => {
    const gate = Promise.withResolvers<void>();
    const tool = {
      ...echo,
      name: 'paused',
      async onMessage(turn: Parameters<NonNullable<typeof echo.onMessage>>[0]) {
        const writer = await turn.stream();
        await writer.write('before ');
        await gate.promise;
        await writer.write('after');
      },
    };
    const { enter } = testServer({ tools: [tool] });
    const ada = await enter('ada');
    const { id, epoch } = await start(ada, 'paused');
    await say(ada, id, 'go');
    const part = await seeEntry(ada, { type: 'MESSAGE_PART' });
    const [begin, middle] = [await enter('eve'), await enter('eve')];
    await join(begin, id);
    await join(middle, id, { epoch, seq: part.seq });
    await seeEntry(begin, { type: 'MESSAGE_PART' });
    gate.resolve();

    expect((await seeEntry(begin, { type: 'MESSAGE_END' })).payload).not.toHaveProperty('text');
    expect((await seeEntry(middle, { type: 'MESSAGE_END' })).payload).toMatchObject({ text: 'before after' });
    expectContiguous(middle, id, Number(part.seq));
  });
});

describe('a slow reader', () => {
  test('F14: loses nothing and costs the others nothing', async () => {
    const { enter, clock } = testServer();
    const ada = await enter('ada');
    const { id } = await start(ada);
    const slow = await enter('eve', {}, { highWaterBytes: 2_000 });
    await join(slow, id);
    slow.link.stall('down');
    const before = slow.link.bytes.down;
    for (let n = 0; n < 400; n++) await say(ada, id, `text ${n} ${'.'.repeat(100)}`);
    await clock.settle();
    expect(slow.link.bytes.down - before).toBeLessThan(4_000);
    slow.link.resume('down');
    await see(slow, ({ seq }) => Number(seq) === 402);

    expectContiguous(slow, id, 0);
    expect(
      entriesOf(slow).filter(({ payload }) => typeof payload === 'string' && payload.startsWith('text 399')),
    ).not.toEqual([]);
  });

  test('F44: that fell off the window is told so once, truthfully, and goes on at the first entry [JOIN-7]', async () => {
    const { enter, clock, history } = testServer({ history: { windowSize: 10 } });
    const ada = await enter('ada');
    const { id } = await start(ada);
    const slow = await enter('eve', {}, { highWaterBytes: 500 });
    await join(slow, id);
    slow.link.stall('down');
    for (let n = 0; n < 700; n++) await say(ada, id, `text ${n}`);
    await clock.settle();
    const head = await history.head(id);
    slow.link.resume('down');
    await see(slow, ({ seq }) => Number(seq) === head?.last);
    const gap = slow.received.find(({ payload }) => payload.verdict === 'gap');
    const at = slow.received.indexOf(gap as never);
    const told = slow.received.slice(0, at).filter(({ transaction, seq }) => transaction === id && seq !== '0');

    expect(gap).toMatchObject({ type: 'TRANSACTION_JOIN', seq: '0', transaction: id });
    expect(gap?.related_id).toBeUndefined();
    expect(gap?.payload).toEqual({
      verdict: 'gap',
      epoch: expect.any(String),
      first: String(head?.first),
      last: String(head?.last),
    });
    expect(Number(told.at(-1)?.seq)).toBeLessThan(Number(head?.first) - 1);
    expect(slow.received.slice(at + 1).find(({ seq }) => seq !== '0')?.seq).toBe(String(head?.first));
    expect(slow.received.filter(({ payload }) => payload.verdict === 'gap')).toHaveLength(1);
  });

  test('[READ-9] that is cut cancels nothing: what it missed is there when it is back', async () => {
    const { enter } = testServer({ tools: [streaming('one', 'two', 'three')] });
    const ada = await enter('ada');
    const { id, epoch } = await start(ada, 'streaming');
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await seeEntry(ada, { type: 'MESSAGE_START' });
    ada.link.cut();
    const back = await enter('ada');
    await join(back, id, { epoch, seq: '2' });

    expect((await seeEntry(back, { type: 'MESSAGE_END' })).payload).toMatchObject({ text: 'onetwothree' });
    await seeEntry(back, { type: 'RUN_FINISHED' });
  });
});

describe('a log that could not be read', () => {
  test('F25: is read again after a second, so that nobody waits for ever', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const peer = await enter();
    const { id } = await start(peer);
    history.failNext('read');
    const sent = peer.send({ type: 'MESSAGE', transaction: id, payload: 'hello' });
    await settled(peer, sent);
    await clock.settle();
    expect(peer.received.filter(({ related_id }) => related_id === sent.id)).toEqual([]);
    await clock.advance(1_000);

    expect(await answerTo(peer, sent)).toMatchObject({ seq: '2', payload: { kind: 'receipt' } });
    await seeEntry(peer, { payload: 'hello' });
  });

  test('F28: an append that failed and was stored all the same is delivered', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    history.failNext('append', 'after');
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'stored?' });

    expect((await answerTo(ada, sent)).payload).toMatchObject({ code: 'OVERLOADED', retry: true });
    expect(await seeEntry(eve, { payload: 'stored?' })).toMatchObject({ id: sent.id, seq: '3' });
    const { position } = (await history.find(id, 'ada', sent.id)) ?? {};
    expect(position).toBe(3);
  });
});

describe('F14: a peer that reads nothing', () => {
  async function deaf(limits: Partial<ServerLimits>) {
    const { enter, clock } = testServer({ limits });
    const ada = await enter('ada', {}, { highWaterBytes: 1 });
    await clock.settle();
    ada.link.stall('down');
    const ended: number[] = [];
    void ada.link.server.closed.then(({ code }) => ended.push(code));
    return { ada, clock, ended };
  }

  test('and asks on and on is closed 4008 once too much that it was told waits for it', async () => {
    const { ada, clock, ended } = await deaf({ maxPiledBytes: 10_000 });
    const before = ada.link.bytes.down;
    while (ended.length === 0) {
      expect(ada.link.bytes.down - before).toBeLessThanOrEqual(10_000);
      ada.send({ type: 'PING' });
      await clock.settle();
    }

    expect(ended).toEqual([4008]);
    expect(ada.link.bytes.down - before).toBeGreaterThan(10_000);
  });
  test('is closed 4008 once its link has taken nothing for too long', async () => {
    const { ada, clock, ended } = await deaf({ drainTimeoutMs: 15_000 });
    ada.send({ type: 'PING' });
    await clock.advance(14_999);
    expect(ended).toEqual([]);
    await clock.advance(1);

    expect([ended, clock.pending]).toEqual([[4008], 0]);
  });

  test('F19: but slowly is neither closed nor taken for dead, however long it takes [CLOSE-6]', async () => {
    const { ada, clock, ended } = await deaf({});
    for (let n = 0; n < 40; n++) ada.send({ type: 'TOOL_LIST' });
    await clock.settle();
    const before = ada.received.length;
    for (let n = 0; n < 20; n++) {
      await clock.advance(9_000);
      ada.link.trickle('down', 1);
      await clock.settle();
    }
    expect([ended, ada.received.length - before]).toEqual([[], 20]);
    await clock.advance(10_000);
    expect(ended).toEqual([]);
    await clock.advance(10_000);
    expect(ended).toEqual([4008]);
  });

  test('F19: may be told more than 1 MiB in the course of time, as long as it does not pile up [CLOSE-6]', async () => {
    const { ada, clock, ended } = await deaf({ maxPiledBytes: 10_000 });
    const payload = { text: '.'.repeat(1_000) };
    ada.send({ type: 'PING', payload });
    for (let n = 0; n < 30; n++) {
      ada.send({ type: 'PING', payload });
      await clock.advance(5_000);
      ada.link.trickle('down', 1);
    }

    expect(ended).toEqual([]);
  });
});
