import type { HistoryStore, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { draftFrom, heldStore, lateHistory, testHistory } from './stores.ts';
import { answerTo, say, seeEntry, settled, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

const never = new Promise<void>(() => {});

/** What refuses a turn's append before anything else has told the turn to stop. */
const refusals: readonly [why: string, refuse: (history: HistoryStore, turn: Turn, lose: () => void) => void][] = [
  [
    'its transaction ended',
    (history, turn) => void history.append(turn.transaction, [draftFrom('ada', 'TRANSACTION_END')]),
  ],
  ['another server took its lease', (_history, _turn, lose) => lose()],
];

describe.each(['at once', 'later'])('a turn whose append is refused %s', (when) => {
  test.each(refusals)('since %s ends after its grace and leaves nothing behind', async (_, refuse) => {
    const clock = fakeClock();
    const inner = testHistory(clock);
    let lost = false;
    const history: HistoryStore = {
      ...inner,
      append: (transaction, drafts, fence) =>
        inner.append(transaction, drafts, lost && fence !== undefined ? fence - 1 : fence),
    };
    const refused: unknown[] = [];
    const tool = toolThat((turn) => {
      const speak = (): void => {
        refuse(history, turn, () => {
          lost = true;
        });
        turn.reply('too late').catch((error: unknown) => refused.push(error));
      };
      if (when === 'at once') speak();
      else void clock.settle().then(speak);
      return never;
    });
    const { server, enter } = testServer({ clock, history, tools: [tool] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await clock.settle();
    await clock.settle();
    ada.link.cut();
    await clock.advance(4_999);
    const before = [refused.length, server.transactions];
    await clock.advance(1);

    expect(before).toEqual([1, 1]);
    expect([server.transactions, clock.pending]).toEqual([0, 0]);
  });
});

test('messages that wait behind TRANSACTION_END are not given to the tool', async () => {
  const gate = Promise.withResolvers<void>();
  const given: string[] = [];
  const tool = toolThat((_turn, text) => {
    given.push(text);
    return gate.promise;
  });
  const { enter, clock } = testServer({ tools: [tool] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  for (const text of ['one', 'two', 'three']) await say(ada, id, text);
  await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
  gate.resolve();
  await clock.settle();

  expect(given).toEqual(['one']);
});

test('after a takeover by another server no more of the page is given to the tool', async () => {
  const clock = fakeClock();
  const inner = testHistory(clock);
  let isTaken = false;
  const history: HistoryStore = {
    ...inner,
    lease: (transaction, holder, ttlMs) => (isTaken ? null : inner.lease(transaction, holder, ttlMs)),
  };
  const given: string[] = [];
  const tool = toolThat((turn, text) => {
    given.push(text);
    return new Promise((resolve) => turn.signal.addEventListener('abort', () => resolve()));
  });
  const { enter } = testServer({ clock, history, tools: [tool] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  for (const text of ['one', 'two', 'three']) await say(ada, id, text);
  isTaken = true;
  await clock.advance(15_000);
  await clock.settle();

  expect(given).toEqual(['one']);
});

describe('a turn that leaves streams open', () => {
  test.each(['before', 'after'] as const)(
    'F25: is ended whole, once, when the store fails %s its end',
    async (when) => {
      const clock = fakeClock();
      const history = heldStore(testHistory(clock));
      const ids: string[] = [];
      const tool = toolThat(async (turn) => {
        for (let n = 0; n < 2; n++) ids.push((await turn.stream()).messageId);
        history.failNext('append', when);
      });
      const { enter } = testServer({ clock, history, tools: [tool] });
      const ada = await enter('ada');
      const { id } = await start(ada, 'tool');
      ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
      await seeEntry(ada, { type: 'RUN_FINISHED' });
      const page = await history.read(id, { from: 3 });
      const ends = page?.entries.filter(({ type }) => type === 'MESSAGE_END' || type === 'RUN_FINISHED');

      expect(ends?.map(({ payload }) => payload)).toMatchObject([
        { message_id: ids[0], text: '' },
        { message_id: ids[1], text: '' },
        { status: 'OK' },
      ]);
    },
  );

  test.each(['at once', 'late'])('closes one that nobody waited for, over a store that answers %s', async (when) => {
    const clock = fakeClock();
    const inner = testHistory(clock);
    const history: HistoryStore =
      when === 'at once'
        ? inner
        : { ...inner, append: (...given) => clock.settle().then(() => inner.append(...given)) };
    const tool = toolThat((turn) => void turn.stream());
    const { enter } = testServer({ clock, history, tools: [tool] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    for (let n = 0; n < 5; n++) await clock.settle();
    const page = await history.read(id, { from: 3 });
    const left = page?.entries.map(({ type }) => type);

    expect(left).toEqual(['RUN_STARTED', 'MESSAGE_END', 'RUN_FINISHED']);
  });
});

test('I16: what a tool wrote and did not wait for stands before the end of its run, however slow the store', async () => {
  const clock = fakeClock();
  const inner = testHistory(clock);
  const gate = Promise.withResolvers<void>();
  const history: HistoryStore = {
    ...inner,
    append: (transaction, drafts, fence) =>
      drafts[0]?.payload === 'hasty'
        ? gate.promise.then(() => inner.append(transaction, drafts, fence))
        : inner.append(transaction, drafts, fence),
  };
  const tool = toolThat(async (turn) => {
    await turn.stream();
    void turn.reply('hasty');
  });
  const { enter } = testServer({ clock, history, tools: [tool] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  for (let n = 0; n < 5; n++) await clock.settle();
  gate.resolve();
  await seeEntry(ada, { type: 'RUN_FINISHED' });
  const types = (await history.read(id, { from: 3 }))?.entries.map(({ type }) => type);

  expect(types).toEqual(['RUN_STARTED', 'MESSAGE', 'MESSAGE_END', 'RUN_FINISHED']);
});

describe('a server that is closed', () => {
  test.each([1, 2, 3])('is closed only once the last words of its turns are stored (%s)', async (seed) => {
    const clock = fakeClock();
    const history = lateHistory(clock, seed);
    history.late = 1;
    const begun = Promise.withResolvers<void>();
    const tool = toolThat(async (turn) => {
      const writer = await turn.stream();
      await writer.write('half an answ');
      begun.resolve();
      await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
    });
    const { server, enter } = testServer({ clock, history, tools: [tool] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await begun.promise;
    await server.close();
    const page = await history.read(id, { from: 3 });

    expect(page?.entries.map(({ type }) => type).slice(-2)).toEqual(['MESSAGE_END', 'RUN_ERROR']);
    expect(page?.entries.at(-2)?.payload).toMatchObject({ text: 'half an answ', status: 'interrupted' });
  });

  test('waits no longer than the grace for a tool that ignores its signal', async () => {
    const { server, enter, clock, history } = testServer({ tools: [toolThat(() => never)] });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    await answerTo(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' }));
    let isClosed = false;
    const closed = server.close().then(() => {
      isClosed = true;
    });
    await clock.advance(4_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;

    expect((await history.read(id, { from: 3 }))?.entries.map(({ type }) => type)).toEqual([
      'RUN_STARTED',
      'RUN_ERROR',
    ]);
    expect(clock.pending).toBe(0);
  });
});
