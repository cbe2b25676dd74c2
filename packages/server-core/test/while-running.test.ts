import type { Tool, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores, heldStore, testHistory } from './stores.ts';
import { codeOf, entriesOf, join, type LinkedPeer, say, see, seeEntry, settled, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

type WhileRunning = Tool['whileRunning'];

/** A tool that answers when it is let go, and notes what it is given. */
function gated(whileRunning: WhileRunning) {
  const given: string[] = [];
  const turns: Turn[] = [];
  const gates: (() => void)[] = [];
  const onMessage = async (turn: Turn, text: string): Promise<void> => {
    given.push(text);
    turns.push(turn);
    const answer = await turn.stream();
    await answer.write(`about ${text}`);
    await new Promise<void>((resolve) => {
      gates.push(resolve);
      turn.signal.addEventListener('abort', () => resolve());
    });
  };
  return { tool: { ...toolThat(onMessage), whileRunning }, given, turns, gates };
}

const send = (peer: LinkedPeer, transaction: string, payload: string) =>
  peer.send({ type: 'MESSAGE', transaction, payload });

describe.each(bothStores)('a message that comes during a run, over %s', (_, makeStore) => {
  async function setup(whileRunning: WhileRunning) {
    const clock = fakeClock();
    const made = gated(whileRunning);
    const test = testServer({ clock, history: makeStore(clock), tools: [made.tool] });
    const [ada, eve] = [await test.enter('ada'), await test.enter('eve')];
    const { id } = await start(ada, 'tool');
    await join(eve, id);
    return { ...test, ...made, ada, eve, id };
  }

  test.each([undefined, 'queue'] as const)('[RUN-6] waits its turn when the tool says %s', async (whileRunning) => {
    const { ada, eve, id, given, gates } = await setup(whileRunning);
    await say(ada, id, 'one');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    await say(eve, id, 'two');
    expect(given).toEqual(['one']);
    gates[0]?.();
    await see(ada, ({ payload }) => payload.text === 'about two');

    expect(entriesOf(ada).flatMap(({ type, payload }) => (type === 'RUN_FINISHED' ? [payload] : []))).toEqual([
      { status: 'OK' },
    ]);
  });

  test('[RUN-6] interrupts it when the tool says so: the run is cancelled with a reason, then it is answered', async () => {
    const { ada, eve, id, turns } = await setup('interrupt');
    await say(ada, id, 'one');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    await say(eve, id, 'two');
    await see(ada, ({ payload }) => payload.text === 'about two');
    const types = entriesOf(ada).map(({ type, payload }) => payload.status ?? type);

    expect(turns[0]?.signal.reason).toMatchObject({ message: 'a newer message came' });
    expect((await seeEntry(ada, { type: 'RUN_FINISHED' })).payload).toEqual({
      status: 'CANCELLED',
      summary: 'a newer message came',
    });
    expect(types.slice(1)).toEqual([
      'RUN_STARTED',
      'MESSAGE_START',
      'MESSAGE_PART',
      'MESSAGE',
      'cancelled',
      'CANCELLED',
      'RUN_STARTED',
      'MESSAGE_START',
      'MESSAGE_PART',
    ]);
  });

  test('that a newer one overtakes before its turn is cancelled, too, and not given to the tool', async () => {
    const { ada, id, given } = await setup('interrupt');
    const sent = ['one', 'two', 'three', 'four'].map((text) => send(ada, id, text));
    await see(ada, ({ payload }) => payload.text === 'about four');
    const ends = entriesOf(ada).filter(({ type }) => type === 'RUN_STARTED');

    expect(given.at(-1)).toBe('four');
    expect(given.length).toBeLessThanOrEqual(2);
    expect(ends.map(({ related_id }) => related_id)).toEqual(sent.map(({ id: key }) => key));
  });

  test('[RUN-6] is refused when the tool says so: nothing is stored, and the word that the run waits for passes', async () => {
    const { ada, eve, id, gates, given, history } = await setup('refuse');
    const sent = [send(ada, id, 'one'), send(eve, id, 'two')];
    const codes = await Promise.all([
      Promise.race([codeOf(ada, sent[0] as never), settled(ada, sent[0] as never)]),
      Promise.race([codeOf(eve, sent[1] as never), settled(eve, sent[1] as never)]),
    ]);
    await see(ada, ({ type }) => type === 'MESSAGE_PART');
    const refused = send(eve, id, 'three');
    expect(await codeOf(eve, refused)).toBe('RUN_LIMIT_EXCEEDED');
    expect(await codeOf(eve, eve.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } }))).toBe(
      'RUN_LIMIT_EXCEEDED',
    );
    await settled(eve, eve.send({ type: 'TOOL_CALL', transaction: id, payload: { call_id: 'c', tool: 'x' } }));
    gates[0]?.();
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    for (let n = 0; n < 20; n++) await settled(eve, eve.send({ type: 'PING' }));
    await say(eve, id, 'after');
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};

    expect(codes.filter((code) => code === 'RUN_LIMIT_EXCEEDED')).toHaveLength(1);
    expect(entries.filter(({ type }) => type === 'MESSAGE').map(({ payload }) => payload)).toHaveLength(2);
    expect(given).toHaveLength(2);
  });

  test('that is sent again to a tool that refuses is settled as the first time [LOG-8]', async () => {
    const { ada, id, given } = await setup('refuse');
    await say(ada, id, 'one', 'key');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'one' }));

    expect(given).toEqual(['one']);
    expect(ada.received.filter(({ type }) => type === 'ERROR')).toEqual([]);
  });
});

describe('the runs of one user', () => {
  async function setup(most: number, transactions: number) {
    const clock = fakeClock();
    const made = gated('queue');
    const limits = { maxConcurrentRuns: most };
    const test = testServer({ clock, history: testHistory(clock), tools: [made.tool], limits });
    const ada = await test.enter('ada');
    const ids: string[] = [];
    for (let n = 0; n < transactions; n++) ids.push((await start(ada, 'tool')).id);
    return { ...test, ...made, ada, ids };
  }

  test('A32: so many go on at once, over all transactions; one more waits until one has ended [RUN-7]', async () => {
    const { ada, ids, given, gates, clock, enter } = await setup(2, 4);
    for (const [n, id] of ids.entries()) await say(ada, id, `${n}`);
    await clock.settle();
    expect(given).toEqual(['0', '1']);
    const eve = await enter('eve');
    await say(eve, (await start(eve, 'tool')).id, 'of another user');
    await clock.settle();
    expect(given).toEqual(['0', '1', 'of another user']);
    gates[1]?.();
    await clock.settle();
    expect(given.slice(3)).toEqual(['2']);
    gates[0]?.();
    await clock.settle();

    expect(given.slice(3)).toEqual(['2', '3']);
  });

  test('A32: one that waits is given up with its transaction, and nothing of it stays behind', async () => {
    const { ada, ids, given, gates, clock, server } = await setup(1, 2);
    const [busy = '', waiting = ''] = ids;
    await say(ada, busy, 'busy');
    await say(ada, waiting, 'waits');
    await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: waiting }));
    await clock.settle();
    gates[0]?.();
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    ada.link.cut();
    await clock.settle();

    expect(given).toEqual(['busy']);
    expect([server.transactions, clock.pending]).toEqual([0, 0]);
  });

  test('a transaction whose message waits for room is held, whoever is connected', async () => {
    const { ada, ids, given, gates, clock, server } = await setup(1, 2);
    for (const [n, id] of ids.entries()) await say(ada, id, `${n}`);
    ada.link.cut();
    await clock.settle();
    expect(server.transactions).toBe(2);
    gates[0]?.();
    await clock.settle();
    expect(given).toEqual(['0', '1']);
    gates[1]?.();
    await clock.settle();

    expect(server.transactions).toBe(0);
  });

  test('the server says how many go on at once', async () => {
    const { connect } = testServer({ limits: { maxConcurrentRuns: 3 } });
    const reply = await connect().hai({ auth: { user: 'ada' } });
    expect(reply.payload).toMatchObject({ capabilities: { max_concurrent_runs: 3 } });
  });
});

test('A32: so many messages wait for a slow tool; one more is refused until one was answered', async () => {
  const { tool, gates } = gated('queue');
  const { enter, clock } = testServer({ tools: [tool], limits: { maxWaitingMessages: 2 } });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  for (const text of ['one', 'two']) await say(ada, id, text);
  const third = send(ada, id, 'three');
  expect(await codeOf(ada, third)).toBe('OVERLOADED');
  gates[0]?.();
  await clock.settle();

  await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, id: third.id, payload: 'three' }));
  gates[1]?.();
  await see(ada, ({ payload }) => payload.text === 'about three');
});

test('F25: a message to a tool that refuses others costs nobody the connection when the log cannot be read behind it', async () => {
  const clock = fakeClock();
  const inner = heldStore(testHistory(clock));
  let fails = false;
  const read: typeof inner.read = (...given) => (fails ? Promise.reject(new Error('no store')) : inner.read(...given));
  const history = { ...inner, read };
  const tool = { ...toolThat(async () => {}), whileRunning: 'refuse' as const };
  const { enter, server } = testServer({ clock, history, tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  const release = history.hold(id);
  const sent = send(ada, id, 'one');
  await clock.settle();
  fails = true;
  release();
  await settled(ada, sent);
  await clock.settle();
  fails = false;
  await clock.advance(1_000);

  expect([server.connections, await say(ada, id, 'two')]).toEqual([1, 3]);
});
