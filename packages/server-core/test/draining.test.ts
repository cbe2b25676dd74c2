// Ending a server without a loss, on a clock that stands still: who is moved when, what may end, who answers afterwards,
// and that nothing makes it wait for ever.

import type { HistoryStore, Tool } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { testNodes } from './nodes.ts';
import { heldStore, testHistory } from './stores.ts';
import { entriesOf, join, type LinkedPeer, say, see, seeEntry, settled, start, testServer, times } from './support.ts';
import { toolThat } from './tools.ts';

const isOpen = ({ link }: LinkedPeer): boolean => link.open;

/** Whether it is resolved once all is at rest. */
async function isDone(clock: { settle(): Promise<void> }, promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => {
    done = true;
  });
  await clock.settle();
  await clock.settle();
  return done;
}

/** A tool that says a word at once and the rest when it is let go. */
function pausing() {
  const gate = Promise.withResolvers<void>();
  const signals: AbortSignal[] = [];
  const tool: Tool<unknown> = toolThat(async (turn, text) => {
    if (text !== 'slow') return turn.reply(`to ${text}`);
    signals.push(turn.signal);
    const answer = await turn.stream();
    await answer.write('so far');
    await Promise.race([gate.promise, new Promise((resolve) => turn.signal.addEventListener('abort', resolve))]);
    if (!turn.signal.aborted) await answer.write(', and so on');
  });
  return { tool, signals, release: gate.resolve };
}

describe('a server that drains', () => {
  test('F24: takes nobody, says how long to stay away, and closes those who are there 1012 one by one within 10 s [CLOSE-7]', async () => {
    const { server, enter, connect, clock } = testServer();
    const peers = await Promise.all(times(200, (n) => enter(`user-${n}`)));
    expect(server.accept.unavailable?.()).toBeUndefined();
    const drained = server.drain();
    await clock.settle();
    const late = connect();
    expect(await late.closed).toMatchObject({ code: 1012, retryAfterMs: 1_000 });
    expect(server.accept.unavailable?.()).toMatchObject({ code: 1012, retryAfterMs: 1_000 });
    const left: number[] = [];
    for (let second = 0; second < 10; second++) {
      left.push(peers.filter(isOpen).length);
      await clock.advance(1_000);
    }

    expect(left).toEqual([199, 179, 159, 139, 119, 99, 79, 59, 39, 19]);
    expect(new Set(await Promise.all(peers.map(async ({ closed }) => (await closed).code)))).toEqual(new Set([1012]));
    await drained;
    expect([server.connections, server.transactions, clock.pending]).toEqual([0, 0, 0]);
  });

  test('F24: takes no more time than few clients need: ten a second', async () => {
    const { server, enter, clock } = testServer();
    const peers = [await enter('ada'), await enter('bob'), await enter('eve')];
    const drained = server.drain();
    const left: number[] = [];
    for (let step = 0; step < 3; step++) {
      await clock.advance(step === 0 ? 0 : 100);
      left.push(peers.filter(isOpen).length);
    }

    expect(left).toEqual([2, 1, 0]);
    expect(await isDone(clock, drained)).toBe(true);
  });

  test('F24: lets a turn end that goes on, whoever still reads it', async () => {
    const { tool, signals, release } = pausing();
    const { server, enter, clock, history } = testServer({ tools: [tool] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'slow');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    const drained = server.drain();
    await clock.advance(9_000);
    expect([isOpen(ada), signals[0]?.aborted, await isDone(clock, drained)]).toEqual([false, false, false]);
    release();

    expect(await isDone(clock, drained)).toBe(true);
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};
    expect(entries.slice(-2).map(({ type, payload }) => [type, payload])).toMatchObject([
      ['MESSAGE_END', { text: 'so far, and so on' }],
      ['RUN_FINISHED', { status: 'OK' }],
    ]);
    expect(clock.pending).toBe(0);
  });

  test('F24: stops a turn after 10 s of grace, and closes what it left open', async () => {
    const { tool, signals } = pausing();
    const { server, enter, clock, history } = testServer({ tools: [tool] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'slow');
    const drained = server.drain();
    await clock.advance(9_999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);

    expect(signals[0]?.aborted).toBe(true);
    expect(await isDone(clock, drained)).toBe(true);
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};
    expect(entries.at(-1)).toMatchObject({ type: 'RUN_ERROR', payload: { message: 'the server is closing' } });
  });

  test('F24: is closed at once when that is asked for meanwhile', async () => {
    const { tool, signals } = pausing();
    const { server, enter, clock } = testServer({ tools: [tool] });
    const peers = await Promise.all(times(200, (n) => enter(`user-${n}`)));
    const { id } = await start(peers[199] as LinkedPeer, 'tool');
    await say(peers[199] as LinkedPeer, id, 'slow');
    const drained = server.drain();
    await clock.settle();
    expect(await isDone(clock, drained)).toBe(false);
    const closed = server.close();

    expect(await isDone(clock, Promise.all([drained, closed]))).toBe(true);
    expect([signals[0]?.aborted, peers.filter(isOpen).length, clock.pending]).toEqual([true, 0, 0]);
  });

  test('F24: finishes what it is storing for those who are gone, and is done after that', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { server, enter } = testServer({ clock, history });
    const ada = await enter('ada');
    const { id } = await start(ada);
    const release = history.hold(id);
    for (const payload of ['one', 'two']) ada.send({ type: 'MESSAGE', transaction: id, payload });
    await clock.settle();
    const drained = server.drain();
    await clock.advance(20_000);
    expect([isOpen(ada), await isDone(clock, drained)]).toEqual([false, false]);
    release();

    expect(await isDone(clock, drained)).toBe(true);
    const { entries = [] } = (await history.read(id, { from: 2 })) ?? {};
    expect(entries.map(({ payload }) => payload)).toContain('one');
  });

  test('F24: is not done while somebody who is still there begins something', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { server, enter } = testServer({ clock, history });
    await enter('eve');
    const ada = await enter('ada');
    const drained = server.drain();
    await clock.settle();
    const { id } = await start(ada);
    const release = history.hold(id);
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'late' });
    await clock.advance(1_000);
    expect([isOpen(ada), await isDone(clock, drained)]).toEqual([false, false]);
    release();
    expect(await isDone(clock, drained)).toBe(true);
    expect(server.transactions).toBe(0);
  });

  test('F24: is not done while a transaction is being created', async () => {
    const clock = fakeClock();
    const gate = Promise.withResolvers<void>();
    const inner = testHistory(clock);
    const create: HistoryStore['create'] = (...given) => gate.promise.then(() => inner.create(...given));
    const { server, enter } = testServer({ clock, history: { ...inner, create } });
    const ada = await enter('ada');
    ada.send({ type: 'TRANSACTION_START', transaction: 'ref', payload: { toolName: 'echo' } });
    await clock.settle();
    const drained = server.drain();
    await clock.advance(5_000);
    expect([isOpen(ada), await isDone(clock, drained)]).toEqual([false, false]);
    gate.resolve();

    expect(await isDone(clock, drained)).toBe(true);
    expect((await inner.list('ada')).transactions).toHaveLength(1);
  });

  test('F24: and closing, wait 30 s for a store that never answers, and no longer', async () => {
    for (const ending of ['drain', 'close'] as const) {
      const clock = fakeClock();
      const history = heldStore(testHistory(clock));
      const { server, enter, logged } = testServer({ clock, history });
      const ada = await enter('ada');
      const { id } = await start(ada);
      history.hold(id);
      ada.send({ type: 'MESSAGE', transaction: id, payload: 'never stored' });
      await clock.settle();
      const ended = server[ending]();
      await clock.advance(29_999);
      expect(await isDone(clock, ended)).toBe(false);
      await clock.advance(1);

      expect([ending, await isDone(clock, ended)]).toEqual([ending, true]);
      expect(logged.at(-1)).toMatchObject({ event: 'closed unfinished', fields: { connections: 0, transactions: 1 } });
      expect(clock.pending).toBe(0);
    }
  });

  test('a tool that ignores its signal has its grace, and no more', async () => {
    const never = toolThat(() => new Promise<void>(() => {}));
    const { server, enter, clock } = testServer({ tools: [never] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    const drained = server.drain();
    await clock.advance(14_999);
    expect(await isDone(clock, drained)).toBe(false);
    await clock.advance(1);
    expect(await isDone(clock, drained)).toBe(true);
  });
});

describe('a node that drains', () => {
  async function twoNodes() {
    const nodes = testNodes();
    const { tool, release, signals } = pausing();
    const answers: string[] = [];
    const noting = (name: string): Tool<unknown> =>
      toolThat((turn, text) => {
        answers.push(`${name}: ${text}`);
        return tool.onMessage?.(turn, text);
      });
    const [one, two] = [nodes.node({ tools: [noting('one')] }), nodes.node({ tools: [noting('two')] })];
    const ada = await one.enter('ada');
    const { id } = await start(ada, 'tool');
    return { ...nodes, one, two, ada, id, answers, release, signals };
  }

  test('F24: hands the right to answer over at once: another node answers the next message', async () => {
    const { clock, one, two, ada, id, answers } = await twoNodes();
    await say(ada, id, 'first');
    const eve = await two.enter('eve');
    await join(eve, id);
    void one.server.drain();
    await clock.settle();
    await say(eve, id, 'second');
    await seeEntry(eve, { payload: 'to second' });

    expect(answers).toEqual(['one: first', 'two: second']);
  });

  test('F24: has its last turn ended, then what waited behind it is answered elsewhere, at once', async () => {
    const { clock, one, two, ada, id, answers, release } = await twoNodes();
    await say(ada, id, 'slow');
    await say(ada, id, 'next');
    const eve = await two.enter('eve');
    await join(eve, id);
    const drained = one.server.drain();
    await clock.settle();
    expect(answers).toEqual(['one: slow']);
    release();
    await seeEntry(eve, { payload: 'to next' });

    expect(answers).toEqual(['one: slow', 'two: next']);
    expect(await isDone(clock, drained)).toBe(true);
    const ends = entriesOf(eve).filter(({ type }) => type === 'RUN_FINISHED');
    expect(ends.map(({ payload }) => payload.status)).toEqual(['OK']);
  });

  test('F24: moves those first who wait for an answer that it will not begin', async () => {
    const { clock, one, id } = await twoNodes();
    const crowd = await Promise.all(times(100, (n) => one.enter(`user-${n}`)));
    const bob = await one.enter('bob');
    await join(bob, id);
    void one.server.drain();
    await clock.settle();
    expect([isOpen(bob), crowd.filter(isOpen).length]).toEqual([true, 100]);
    bob.send({ type: 'MESSAGE', transaction: id, payload: 'anybody?' });
    await clock.settle();

    expect(await bob.closed).toMatchObject({ code: 1012 });
    expect(crowd.filter(isOpen).length).toBe(100);
  });

  test('a transaction that nobody is in any more is free for another node at once', async () => {
    const { clock, one, two, ada, id, answers } = await twoNodes();
    await say(ada, id, 'first');
    await see(ada, ({ payload }) => payload === 'to first');
    ada.link.cut();
    await clock.settle();
    expect(one.server.transactions).toBe(0);
    const back = await two.enter('ada');
    await join(back, id);
    await say(back, id, 'second');
    await seeEntry(back, { payload: 'to second' });

    expect(answers).toEqual(['one: first', 'two: second']);
  });

  test('F31: whose word of a free lease is lost is followed by the other node within 30 s', async () => {
    const { clock, hold, words, one, two, ada, id, answers, release } = await twoNodes();
    await say(ada, id, 'slow');
    await say(ada, id, 'next');
    const eve = await two.enter('eve');
    await join(eve, id);
    hold();
    const drained = one.server.drain();
    release();
    expect(await isDone(clock, drained)).toBe(true);
    expect(words.map(({ said }) => said['left'])).toEqual([id]);
    for (let waited = 0; waited < 30_000; waited += 10_000) {
      expect(answers).toEqual(['one: slow']);
      await clock.advance(10_000);
      await settled(eve, eve.send({ type: 'PING' }));
    }
    await seeEntry(eve, { payload: 'to next' });
    expect(answers).toEqual(['one: slow', 'two: next']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
  ] satisfies [string, () => ReturnType<HistoryStore['lease']>][])(
    'F25: a store that %s at that costs a line of the log',
    async (_, fail) => {
      const { clock, node } = testNodes();
      let fails = false;
      const failing = node({}, (history) => ({
        ...history,
        lease: (...asked) => (fails ? fail() : history.lease(...asked)),
      }));
      const ada = await failing.enter('ada');
      await start(ada);
      fails = true;
      const drained = failing.server.drain();

      expect(await isDone(clock, drained)).toBe(true);
      expect(failing.logged.map(({ level, event }) => [level, event])).toEqual([['warn', 'lease not let go']]);
      expect([failing.server.transactions, clock.pending]).toEqual([0, 0]);
    },
  );
});
