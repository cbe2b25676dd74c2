import type { CreditLedger, Tool } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import type { CreditsOptions } from '../src/index.ts';
import { lateLedger, watchedLedger } from './ledgers.ts';
import { testHistory } from './stores.ts';
import { join, say, seeEntry, start, testServer, userOf } from './support.ts';
import { streaming, toolThat } from './tools.ts';

const perPart: CreditsOptions['agentCost'] = ({ type }) => (type === 'MESSAGE_PART' ? 1 : 0);

/** Ada, who has so many credits, asks a tool something; her own words cost nothing. */
async function asking(tool: Tool<unknown>, credits: number, agentCost = perPart, late = false) {
  const clock = fakeClock();
  const history = testHistory(clock);
  const inner = watchedLedger(clock);
  const ledger: CreditLedger = late ? lateLedger(inner, () => 0.5) : inner;
  const test = testServer({
    clock,
    history,
    tools: [tool],
    credits: { ledger, cost: () => 0, agentCost },
    authenticate: ({ user }) => userOf(user, { credits: user === 'ada' ? credits : 100 }),
  });
  const ada = await test.enter('ada');
  const { id } = await start(ada, tool.name);
  await say(ada, id, 'go');
  return { ...test, ada, id, inner, left: (user: string) => test.server.credits.balance(user) };
}

/** Says pieces without end, until it is told to stop. */
function endless(stopped: (reason: unknown) => void): Tool<unknown> {
  return toolThat(async (turn) => {
    turn.signal.addEventListener('abort', () => stopped(turn.signal.reason));
    const writer = await turn.stream();
    while (true) await writer.write('x');
  });
}

describe.each([
  ['that is done at once', false],
  ['that is late', true],
])('what an agent says, over a ledger %s,', (_, late) => {
  test('[CREDIT-3] stops when the account of whom it answers is empty: the message ends interrupted, the run with INSUFFICIENT_CREDITS', async () => {
    const reasons: unknown[] = [];
    const { ada, left, inner, history, id, logged } = await asking(
      endless((reason) => reasons.push(reason)),
      3,
      perPart,
      late,
    );
    const end = await seeEntry(ada, { type: 'MESSAGE_END' });
    const error = await seeEntry(ada, { type: 'RUN_ERROR' });
    const stored = await history.read(id, { from: 1 });

    expect(end.payload).toMatchObject({ status: 'interrupted' });
    expect(error.payload).toEqual({ code: 'INSUFFICIENT_CREDITS', message: 'the account is empty' });
    expect(reasons).toMatchObject([{ message: 'the account is empty' }]);
    expect(stored?.entries.find(({ type }) => type === 'MESSAGE_END')?.payload).toMatchObject({ text: 'xxx' });
    expect([await left('ada'), inner.lowest]).toEqual([0, 0]);
    // An account that runs dry is no trouble of the server's.
    expect(logged).toEqual([]);
  });

  test('[CREDIT-3] is paid by whoever asked, not by others in the transaction', async () => {
    const { ada, left, enter, id } = await asking(streaming('a', 'b'), 10, perPart, late);
    await seeEntry(ada, { type: 'MESSAGE_END' });
    const eve = await enter('eve');
    await join(eve, id);
    await say(eve, id, 'me too');
    await seeEntry(eve, { type: 'RUN_FINISHED' });

    expect([await left('ada'), await left('eve')]).toEqual([8, 98]);
  });

  test('keeps its order although nothing is waited for, and nothing passes what could not be paid', async () => {
    const outcomes: string[] = [];
    const hasty = toolThat(async (turn) => {
      const writer = await turn.stream();
      const written = ['a', 'b', 'c', 'd', 'e'].map((piece) => writer.write(piece));
      for (const { status } of await Promise.allSettled(written)) outcomes.push(status);
    });
    const dear: CreditsOptions['agentCost'] = ({ payload }) => ((payload as { text?: string }).text === 'c' ? 100 : 1);
    const { ada, history, id } = await asking(hasty, 10, dear, late);
    await seeEntry(ada, { type: 'RUN_ERROR' });
    const stored = await history.read(id, { from: 1 });

    expect(outcomes).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(stored?.entries.find(({ type }) => type === 'MESSAGE_END')?.payload).toMatchObject({ text: 'ab' });
  });
});

test('[CREDIT-3] a reply that cannot be paid is not stored; the turn ends with why', async () => {
  const { ada, history, id } = await asking(
    toolThat((turn) => turn.reply('dear')),
    1,
    () => 2,
  );
  const error = await seeEntry(ada, { type: 'RUN_ERROR' });
  const stored = await history.read(id, { from: 3 });

  expect(error.payload).toMatchObject({ code: 'INSUFFICIENT_CREDITS' });
  expect(stored?.entries.map(({ type }) => type)).toEqual(['RUN_STARTED', 'RUN_ERROR']);
});

test('F40: a price of the agent’s words that is none ends that turn with INTERNAL_ERROR', async () => {
  const { ada } = await asking(
    toolThat((turn) => turn.reply('x')),
    1,
    () => Number.NaN,
  );

  expect((await seeEntry(ada, { type: 'RUN_ERROR' })).payload).toMatchObject({ code: 'INTERNAL_ERROR' });
});

test('words that come after the end of the transaction are paid back', async () => {
  const gate = Promise.withResolvers<void>();
  const tool = toolThat(async (turn) => {
    await gate.promise;
    await turn.reply('late').catch(() => {});
  });
  const { ada, id, left, history, clock } = await asking(tool, 5, () => 2);
  // Ended where this node has not looked yet, so that the store says no.
  await history.append(id, [
    {
      id: 'e',
      user: null,
      session: 's',
      ts: 0,
      channel: 'SYSTEM',
      type: 'TRANSACTION_END',
      payload: {},
      size: 1,
      digest: '',
    },
  ]);
  gate.resolve();
  await clock.settle();

  expect([ada.link.open, await left('ada')]).toEqual([true, 5]);
});
