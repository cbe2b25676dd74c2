import type { HistoryStore } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { answerTo, codeOf, errorsOf, say, seeEntry, settled, start, testServer, times } from './support.ts';
import { mute, toolThat } from './tools.ts';

describe('a store that fails', () => {
  async function setup() {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const test = testServer({ clock, history, tools: [mute] });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'mute');
    return { ...test, history, ada, id };
  }

  test.each(['before', 'after'] as const)(
    'F25 and F28: %s it stored: OVERLOADED, and nobody passes the message that waits [ACK-10]',
    async (when) => {
      const { ada, id, history } = await setup();
      history.failNext('append', when);
      const send = (n: number) => ada.send({ type: 'MESSAGE', transaction: id, id: `key-${n}`, payload: `${n}` });
      const [one, two] = [send(1), send(2)];
      const audio = ada.send({ type: 'AUDIO', transaction: id, id: 'key-3' }, new Uint8Array(2));
      const refused = [await answerTo(ada, one), await answerTo(ada, two), await answerTo(ada, audio)];
      expect(refused.map(({ payload }) => [payload.code, payload.retry])).toEqual(times(3, () => ['OVERLOADED', true]));
      const ping = ada.send({ type: 'PING' });
      await settled(ada, ping);
      for (const n of [1, 2]) await settled(ada, send(n));
      await settled(ada, ada.send({ type: 'AUDIO', transaction: id, id: 'key-3' }, new Uint8Array(2)));
      const page = await history.read(id, { from: 2 });

      expect(page?.entries.map(({ id: key }) => key)).toEqual(['key-1', 'key-2', 'key-3']);
    },
  );

  test('[ACK-10] what was stored before is settled, and what keeps no order passes, while one waits', async () => {
    const { ada, id, history } = await setup();
    await say(ada, id, 'stored', 'old');
    history.failNext('append');
    await expect(say(ada, id, 'waits', 'new')).rejects.toThrow('OVERLOADED');
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, id: 'old', payload: 'stored' }));
    const end = ada.send({ type: 'TRANSACTION_END', transaction: id });

    expect((await answerTo(ada, end)).payload.kind).toBe('receipt');
    expect(errorsOf(ada)).toEqual(['OVERLOADED']);
  });

  test('[ACK-10] a LEAVE passes the message that waits, and those behind it still wait for it', async () => {
    const { ada, id, history } = await setup();
    history.failNext('append');
    await expect(say(ada, id, 'waits', 'first')).rejects.toThrow('OVERLOADED');
    await settled(ada, ada.send({ type: 'TRANSACTION_LEAVE', transaction: id }));
    const second = ada.send({ type: 'MESSAGE', transaction: id, id: 'second', payload: 'behind' });

    expect(await codeOf(ada, second)).toBe('OVERLOADED');
  });

  test('an answer that could not be stored leaves it to the next entry of its turn to name the message', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const failing = toolThat((turn) => {
      history.failNext('append');
      return turn.reply('never stored');
    });
    const { enter } = testServer({ clock, history, tools: [failing] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'hello', 'question');
    const started = await seeEntry(ada, { type: 'RUN_STARTED' });

    expect(started.related_id).toBe('question');
  });

  test('[ACK-10] a final ERROR uses the place up, and the next message goes on', async () => {
    const { ada, id } = await setup();
    const wrong = ada.send({ type: 'MESSAGE_PART', transaction: id, payload: { message_id: 'none', text: 'x' } });
    const next = ada.send({ type: 'MESSAGE', transaction: id, payload: 'goes on' });

    expect(await codeOf(ada, wrong)).toBe('PROTOCOL_VIOLATION');
    expect((await answerTo(ada, next)).payload.kind).toBe('receipt');
  });

  test('F25: when the log cannot even be opened the order is kept, too', async () => {
    const { ada, id, history, enter } = await setup();
    ada.link.cut();
    const back = await enter('ada');
    const send = (n: number) => back.send({ type: 'MESSAGE', transaction: id, id: `key-${n}`, payload: `${n}` });
    history.failNext('get');
    const [one, two] = [send(1), send(2)];
    expect([await codeOf(back, one), await codeOf(back, two)]).toEqual(['OVERLOADED', 'OVERLOADED']);
    for (const n of [1, 2]) await settled(back, send(n));

    expect((await history.read(id, { from: 2 }))?.entries.map(({ id: key }) => key)).toEqual(['key-1', 'key-2']);
  });

  test('F25: when a look-up fails the answer is OVERLOADED and no refusal that might be wrong', async () => {
    const { ada, id, history } = await setup();
    await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
    history.failNext('find');

    expect(await codeOf(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'late' }))).toBe('OVERLOADED');
  });

  test('a message whose parts could not be deleted is settled all the same', async () => {
    const { ada, id, history, logged } = await setup();
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } });
    history.failNext('compact');
    await settled(ada, ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } }));
    await settled(ada, ada.send({ type: 'PING' }));

    expect([ada.link.open, errorsOf(ada), logged.map(({ event }) => event)]).toEqual([
      true,
      [],
      ['message not compacted'],
    ]);
  });

  test('F25: a read that throws at once costs no more than a second: then the log is read again', async () => {
    const clock = fakeClock();
    const inner = testHistory(clock);
    let isBroken = false;
    const read: HistoryStore['read'] = (transaction, range) => {
      if (isBroken) throw new Error('history: read failed, as the test wants');
      return inner.read(transaction, range);
    };
    const { enter, logged } = testServer({ clock, history: { ...inner, read }, tools: [mute] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'mute');
    isBroken = true;
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'stored' });
    await settled(ada, sent);
    isBroken = false;
    await clock.advance(999);
    expect(ada.received.filter(({ related_id }) => related_id === sent.id)).toEqual([]);
    await clock.advance(1);

    expect((await answerTo(ada, sent)).payload.kind).toBe('receipt');
    expect([ada.link.open, logged.map(({ event }) => event)]).toEqual([true, ['log not read']]);
  });

  test('F26: one transaction that stands still holds up no other, and its queue is bounded: then 1013', async () => {
    const { ada, id, history, enter, clock } = await setup();
    const other = await start(ada, 'mute');
    const release = history.hold(id);
    for (let n = 0; n < 1000; n++) ada.send({ type: 'MESSAGE', transaction: id, payload: `${n}` });
    expect(await say(ada, other.id, 'passes')).toBe(2);
    const eve = await enter('eve');
    for (let n = 0; n < 100; n++) ada.send({ type: 'MESSAGE', transaction: id, payload: `${n}` });

    expect(await ada.closed).toMatchObject({ code: 1013 });
    expect((await start(eve, 'mute')).id).toBeTruthy();
    release();
    await clock.settle();
  });
});

test('F26: bytes that wait for the store are bounded by what reaches the limit, then 1013', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const { enter } = testServer({ clock, history, tools: [mute], limits: { maxQueuedBytes: 10_000 } });
  const ada = await enter('ada');
  const { id } = await start(ada, 'mute');
  const release = history.hold(id);
  const send = () => ada.send({ type: 'MESSAGE', transaction: id, payload: 'x'.repeat(4_000) });
  // One is with the store; three wait, of which the last goes past the limit.
  for (let n = 0; n < 4; n++) send();
  await clock.settle();
  expect(ada.link.open).toBe(true);
  send();

  expect(await ada.closed).toMatchObject({ code: 1013 });
  release();
  await clock.settle();
});

test('I18: a transaction that could not be looked up, and then turned out unknown, takes no room', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const { enter } = testServer({ clock, history, limits: { maxJoined: 1 } });
  const ada = await enter();
  const write = () => ada.send({ type: 'MESSAGE', transaction: 'nowhere', id: 'key', payload: 'hello' });
  history.failNext('get');
  await settled(ada, write());
  await settled(ada, write());

  expect(errorsOf(ada)).toEqual(['OVERLOADED', 'TRANSACTION_NOT_FOUND']);
  expect((await start(ada)).id).toBeTruthy();
});

test('a turn whose end the store did not take ends as it did, before the next message is answered', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const gate = Promise.withResolvers<void>();
  const tool = toolThat(async (turn, input) => {
    const writer = await turn.stream();
    await writer.write(input);
    // The other two are read together.
    if (input === 'before') await gate.promise;
    if (input !== 'first') return;
    history.failNext('append');
    throw new Error('as the test wants');
  });
  const { enter } = testServer({ clock, history, tools: [tool] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  for (const payload of ['before', 'first', 'second'])
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, payload }));
  gate.resolve();
  for (let n = 0; n < 5; n++) await clock.advance(1_000);
  const page = await history.read(id, { from: 1 });
  const ends = page?.entries.filter(({ type }) => /^RUN_/.test(type)).map(({ type }) => type);

  expect(ends).toEqual(['RUN_STARTED', 'RUN_FINISHED', 'RUN_STARTED', 'RUN_ERROR', 'RUN_STARTED', 'RUN_FINISHED']);
});
