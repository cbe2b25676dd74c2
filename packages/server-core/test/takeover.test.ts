import type { Entry, HistoryStore, Tool, Turn } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bothStores, draftFrom, mortalStore, testHistory } from './stores.ts';
import { join, type LinkedPeer, say, see, seeEntry, settled, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

const never = new Promise<void>(() => {});
type OnMessage = (turn: Turn, input: string) => void | Promise<void>;

/** Lets time pass for peers that answer to PING, by asking the server themselves. */
async function pass(clock: FakeClock, ms: number, ...peers: LinkedPeer[]): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    await clock.advance(Math.min(left, 10_000));
    for (const peer of peers) await settled(peer, peer.send({ type: 'PING' }));
  }
}

async function logOf(history: HistoryStore, transaction: string): Promise<readonly Entry[]> {
  return (await history.read(transaction, { from: 1, maxEntries: 10_000 }))?.entries ?? [];
}

const agentsPart = (entries: readonly Entry[]): unknown[] =>
  entries
    .filter(({ user }) => user === null)
    .map(({ type, payload }) => [type, (payload as { status?: string }).status]);

describe.each(bothStores)('a server that dies in mid-run, over %s', (_, makeStore) => {
  /** A transaction on one server; other servers over the same store, each with a tool of its own. */
  async function setup(first: OnMessage, more: Partial<Tool> = {}) {
    const clock = fakeClock();
    const history = makeStore(clock);
    const serve = (onMessage: OnMessage) => {
      const own = mortalStore(history);
      const tool = { ...toolThat(onMessage), ...more } as Tool<unknown>;
      const server = testServer({ clock, history: own, tools: [tool] });
      onTestFinished(own.bury);
      return { ...server, kill: own.kill };
    };
    const one = serve(first);
    const ada = await one.enter('ada');
    const { id } = await start(ada, 'tool');
    /** The next server, once the lease of the one before has lapsed, with somebody who joined there. */
    const takeOver = async (onMessage: OnMessage) => {
      const server = serve(onMessage);
      const eve = await server.enter('eve');
      await join(eve, id);
      await pass(clock, 30_000, eve);
      return { ...server, eve };
    };
    return { clock, history, one, ada, id, serve, takeOver };
  }

  test('[LOG-13] has its messages, calls and run closed as interrupted by the one that takes over; nothing runs twice', async () => {
    const given: string[] = [];
    const { history, one, ada, id, takeOver } = await setup(async (turn) => {
      await (await turn.stream({ author: 'Bot' })).write('half an answ');
      await (await turn.call('search')).progress(0.1);
      await never;
    });
    await say(ada, id, 'go');
    const { run_id } = await seeEntry(ada, { type: 'RUN_STARTED' });
    await seeEntry(ada, { type: 'TOOL_UPDATE' });
    one.kill();
    const { eve } = await takeOver((turn, text) => {
      given.push(text);
      return turn.reply(text);
    });
    const finished = await seeEntry(eve, { type: 'RUN_FINISHED' });
    await say(eve, id, 'next');
    await seeEntry(eve, { payload: 'next' });
    const entries = await logOf(history, id);

    expect(finished).toMatchObject({ run_id, payload: { status: 'INTERRUPTED' } });
    expect(agentsPart(entries).slice(-4)).toEqual([
      ['MESSAGE_END', 'interrupted'],
      ['TOOL_DONE', 'INTERRUPTED'],
      ['RUN_FINISHED', 'INTERRUPTED'],
      ['MESSAGE', undefined],
    ]);
    expect(entries.find(({ type }) => type === 'MESSAGE_END')).toMatchObject({
      run_id,
      payload: { text: 'half an answ', author: 'Bot' },
    });
    expect(given).toEqual(['next']);
  });

  test('that comes back to life writes nothing more: its lease is stale', async () => {
    const clock = fakeClock();
    const history = makeStore(clock);
    let sleeps = false;
    const woken: (() => void)[] = [];
    const asleep: HistoryStore = {
      ...history,
      lease: (...given) =>
        sleeps
          ? new Promise<void>((resolve) => woken.push(resolve)).then(() => history.lease(...given))
          : history.lease(...given),
    };
    let kept: Turn | undefined;
    const one = testServer({
      clock,
      history: asleep,
      tools: [
        toolThat(async (turn) => {
          kept = turn;
          await turn.stream();
          await never;
        }),
      ],
    });
    const ada = await one.enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'MESSAGE_START' });
    sleeps = true;
    await pass(clock, 31_000, ada);
    const two = testServer({ clock, history, tools: [toolThat((turn) => turn.reply('two'))] });
    const eve = await two.enter('eve');
    await join(eve, id);
    await seeEntry(eve, { type: 'RUN_FINISHED' });
    await expect(kept?.reply('from the grave')).rejects.toThrow('another node');
    sleeps = false;
    for (const wake of woken) wake();
    await pass(clock, 10_000, ada, eve);

    expect(kept?.signal.aborted).toBe(true);
    expect(agentsPart(await logOf(history, id))).toEqual([
      ['RUN_STARTED', undefined],
      ['MESSAGE_END', 'interrupted'],
      ['RUN_FINISHED', 'INTERRUPTED'],
    ]);
  });

  test('[RUN-9] a message nobody said anything to is begun twice at most, then its RUN_ERROR says so', async () => {
    const given: string[] = [];
    const silent = (name: string) => () => {
      given.push(name);
      return never;
    };
    const { history, one, ada, id, takeOver } = await setup(silent('one'));
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'poison' });
    await see(ada, () => given.length === 1);
    one.kill();
    const two = await takeOver(silent('two'));
    expect(given).toEqual(['one', 'two']);
    two.kill();
    const three = await takeOver(silent('three'));
    const error = await seeEntry(three.eve, { type: 'RUN_ERROR' });
    const begun = await seeEntry(three.eve, { type: 'RUN_STARTED' });

    expect(given).toEqual(['one', 'two']);
    expect(error.payload).toMatchObject({ code: 'TOOL_EXECUTION_ERROR', message: expect.stringContaining('2 times') });
    expect(begun.related_id).toBe(sent.id);
    expect(agentsPart(await logOf(history, id))).toHaveLength(2);
  });

  test('[RUN-9] what waited behind it is answered, what a turn has said something to is not', async () => {
    const given: string[] = [];
    const { one, ada, id, takeOver, history, clock } = await setup(async (turn, text) => {
      await turn.reply(`one: ${text}`);
      await never;
    });
    for (const text of ['a', 'b', 'c']) await say(ada, id, text);
    await seeEntry(ada, { payload: 'one: a' });
    one.kill();
    const { eve } = await takeOver((turn, text) => {
      given.push(text);
      return text === 'b' ? undefined : turn.reply(`two: ${text}`);
    });
    await seeEntry(eve, { payload: 'two: c' });
    await clock.settle();

    expect(given).toEqual(['b', 'c']);
    expect((await history.lease(id, 'somebody', 1))?.record).toBeUndefined();
  });

  test('a turn that ended without a word is done: nobody runs it again', async () => {
    const given: string[] = [];
    const { one, ada, id, takeOver, clock } = await setup(() => {});
    await say(ada, id, 'quiet');
    for (let n = 0; n < 50; n++) await clock.settle();
    one.kill();
    await takeOver((_turn, text) => void given.push(text));

    expect(given).toEqual([]);
  });

  test('what a user has open stays open: its client may come back to it', async () => {
    const { one, ada, id, takeOver, history, clock } = await setup(() => {});
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm', text: 'I was' } });
    await settled(ada, ada.send({ type: 'TOOL_CALL', transaction: id, payload: { call_id: 'c', tool: 'x' } }));
    one.kill();
    await takeOver(() => {});
    await clock.settle();

    expect(agentsPart(await logOf(history, id))).toEqual([]);
  });
});

test.each([
  [undefined, 30_000],
  [{ leaseMs: 2_000 }, 2_000],
])('what a dead server left is answered once its lease has run out, not before: %j', async (limits, leaseMs) => {
  const clock = fakeClock();
  const history = testHistory(clock);
  const first = mortalStore(history);
  const one = testServer({ clock, history: first, limits, tools: [toolThat(() => never)] });
  onTestFinished(first.bury);
  const ada = await one.enter('ada');
  const { id } = await start(ada, 'tool');
  say(ada, id, 'anybody there?');
  await clock.advance(0);
  first.kill();
  const answered: string[] = [];
  const tool = toolThat((_, input) => void answered.push(input));
  const other = testServer({ clock, history, limits, tools: [tool] });
  await join(await other.enter('eve'), id);
  await clock.advance(leaseMs - 1);
  expect(answered).toEqual([]);
  await clock.advance(1);
  expect(answered).toEqual(['anybody there?']);
});

test('what a dead server left is closed although the store fails at first', async () => {
  const clock = fakeClock();
  const history = testHistory(clock);
  const { id } = await openedBefore(history);
  let failures = 2;
  const failing: HistoryStore = {
    ...history,
    append: (...given) =>
      given[2] !== undefined && failures-- > 0 ? Promise.reject(new Error('no')) : history.append(...given),
  };
  const { enter, logged } = testServer({ clock, history: failing, tools: [toolThat((turn) => turn.reply('ok'))] });
  const eve = await enter('eve');
  await join(eve, id);
  await pass(clock, 35_000, eve);

  expect((await seeEntry(eve, { type: 'RUN_FINISHED' })).payload).toEqual({ status: 'INTERRUPTED' });
  expect(logged.filter(({ event }) => event === 'agent stopped')).toHaveLength(2);
});

/** A transaction with a run that a server left open, whose lease still holds. */
async function openedBefore(history: HistoryStore): Promise<{ id: string }> {
  const id = 'tx';
  const record = { transaction: id, starter: 'ada', tool: 'tool', params: {}, referenceId: 'r', createdAt: 0 };
  await history.create(record, draftFrom('ada', 'TRANSACTION_START'));
  await history.lease(id, 'dead', 20_000);
  const started = { ...draftFrom('ada', 'RUN_STARTED'), user: null, run_id: 'run' };
  await history.append(id, [{ ...started, subject: { key: 'run:run', step: 'open' } }]);
  return { id };
}

describe('messages that go out of the history before a slow tool saw them', () => {
  async function setup(windowSize: number) {
    const gate = Promise.withResolvers<void>();
    const given: string[] = [];
    const tool = toolThat(async (_turn, text) => {
      given.push(text);
      if (text === 'slow') await gate.promise;
    });
    const clock = fakeClock();
    const history = testHistory(clock, { windowSize });
    const test = testServer({ clock, history, tools: [tool] });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'slow');
    await clock.settle();
    return { ...test, ada, id, gate, given };
  }

  test.each([
    ['that this node has read', 30, 'first'],
    ['that no node has read', 1_000, undefined],
  ])('[RUN-8] %s are told of once, and the rest is answered', async (_, atOnce, named) => {
    const { ada, id, gate, given, logged, history, clock } = await setup(50);
    const sent = Array.from({ length: 700 }, () => 0).map((_zero, n) => n);
    const ids: string[] = [];
    while (sent.length > 0) {
      const batch = sent
        .splice(0, atOnce)
        .map((n) => ada.send({ type: 'MESSAGE', transaction: id, payload: `m ${n}` }));
      ids.push(...batch.map(({ id: key }) => key));
      await settled(ada, batch.at(-1) as never);
    }
    gate.resolve();
    const error = await seeEntry(ada, { type: 'RUN_ERROR' });
    await see(ada, () => given.at(-1) === 'm 699');
    await clock.settle();
    const started = await seeEntry(ada, { type: 'RUN_STARTED' });
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};

    expect(started.related_id).toBe(named && ids[0]);
    expect(error.payload).toEqual({
      code: 'OVERLOADED',
      message: '3 to 652 went out of the history before the tool saw it',
    });
    expect(given).toHaveLength(1 + 50);
    expect(logged.map(({ event }) => event)).toEqual(['trimmed unanswered']);
    expect(entries.filter(({ type }) => type === 'RUN_ERROR')).toHaveLength(1);
  });

  test('are not lost while this node still holds them in memory', async () => {
    const { ada, id, gate, given, logged } = await setup(5);
    for (let n = 0; n < 20; n++) await say(ada, id, `m ${n}`);
    gate.resolve();
    await see(ada, () => given.at(-1) === 'm 19');

    expect([given.length, logged]).toEqual([21, []]);
  });

  test('a log of which only answered messages were trimmed tells of no loss', async () => {
    const { ada, id, gate, clock, enter, server, history, logged } = await setup(5);
    gate.resolve();
    for (let n = 0; n < 20; n++) await say(ada, id, `m ${n}`);
    ada.link.cut();
    await clock.settle();
    expect(server.transactions).toBe(0);
    const back = await enter('ada');
    await join(back, id);
    await say(back, id, 'last');
    await clock.settle();
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};

    expect(entries.filter(({ type }) => type === 'RUN_ERROR')).toEqual([]);
    expect(logged).toEqual([]);
  });
});
