import type { Call, Tool, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import {
  codeOf,
  entriesOf,
  errorsOf,
  join,
  type LinkedPeer,
  say,
  seeEntry,
  settled,
  start,
  testServer,
} from './support.ts';
import { toolThat } from './tools.ts';

const never = new Promise<void>(() => {});

/** What the log tells of calls: type and what matters of the payload. */
function callsOf(peer: LinkedPeer): unknown[] {
  return entriesOf(peer)
    .filter(({ type }) => type.startsWith('TOOL_'))
    .map(({ type, payload: { call_id: _, ...rest } }) => [type, rest]);
}

describe.each(bothStores)('a call that a tool makes, over %s', (_, makeStore) => {
  async function setup(onMessage: (turn: Turn, input: string) => void | Promise<void>, more: Partial<Tool> = {}) {
    const clock = fakeClock();
    const tool = { ...toolThat(onMessage), ...more } as Tool<unknown>;
    const test = testServer({ clock, history: makeStore(clock), tools: [tool] });
    const [ada, eve] = [await test.enter('ada'), await test.enter('eve')];
    const { id } = await start(ada, 'tool');
    await join(eve, id);
    return { ...test, ada, eve, id };
  }

  /** A tool that makes one call and then does with it what the test says. */
  const calling = (then: (call: Call, turn: Turn) => void | Promise<void>) =>
    setup(async (turn) => then(await turn.call('book', { seat: '12A' }), turn));

  async function idOfCall(peer: LinkedPeer): Promise<string> {
    return (await seeEntry(peer, { type: 'TOOL_CALL' })).payload.call_id;
  }

  const tell = (peer: LinkedPeer, transaction: string, type: string, payload: { [key: string]: string }) =>
    peer.send({ type, transaction, payload });

  test('[RUN-1, RUN-3] is told from its begin to its result, within the run', async () => {
    const { ada, id } = await calling(async (call) => {
      await call.progress(0.5, ['row 12']);
      await call.progress();
      await call.done('booked');
      await call.done('twice');
    });
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(callsOf(ada)).toEqual([
      ['TOOL_CALL', { tool: 'book', params: { seat: '12A' } }],
      ['TOOL_UPDATE', { status: 'RUNNING', progress: 0.5, partial: ['row 12'] }],
      ['TOOL_UPDATE', { status: 'RUNNING' }],
      ['TOOL_DONE', { status: 'OK', result: 'booked' }],
    ]);
    expect(entriesOf(ada).map(({ type }) => type)).toEqual([
      'TRANSACTION_JOIN',
      'RUN_STARTED',
      'TOOL_CALL',
      'TOOL_UPDATE',
      'TOOL_UPDATE',
      'TOOL_DONE',
      'RUN_FINISHED',
    ]);
    expect(
      new Set(
        entriesOf(ada)
          .slice(1)
          .map(({ run_id }) => run_id),
      ).size,
    ).toBe(1);
  });

  test.each([
    ['APPROVED', true, 'OK'],
    ['DENIED', false, 'DENIED'],
  ])('[RUN-3] asks people and goes on when it is %s, by the first who says so', async (verdict, expected, end) => {
    const answers: boolean[] = [];
    const { ada, eve, id } = await calling(async (call) => {
      answers.push(await call.ask('Book it?'));
      await call.done();
    });
    await say(ada, id, 'go');
    await seeEntry(eve, { type: 'TOOL_UPDATE' });
    const call_id = await idOfCall(eve);
    await settled(eve, tell(eve, id, 'TOOL_UPDATE', { call_id, status: verdict }));
    const late = tell(ada, id, 'TOOL_UPDATE', { call_id, status: expected ? 'DENIED' : 'APPROVED' });
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(answers).toEqual([expected]);
    expect(await codeOf(ada, late)).toBe('PROTOCOL_VIOLATION');
    expect(callsOf(ada).slice(1)).toEqual([
      ['TOOL_UPDATE', { status: 'WAITING', ask: 'Book it?' }],
      ['TOOL_UPDATE', { status: verdict }],
      ['TOOL_DONE', { status: end }],
    ]);
  });

  test('[RUN-10] takes no word that nobody asked for: of an unknown call, before a question, after its end', async () => {
    const gate = Promise.withResolvers<void>();
    const { ada, id, history } = await calling(async (call) => {
      await gate.promise;
      await call.done();
    });
    await say(ada, id, 'go');
    const call_id = await idOfCall(ada);
    const word = (of: string) => codeOf(ada, tell(ada, id, 'TOOL_UPDATE', { call_id: of, status: 'APPROVED' }));
    expect(await word('unknown')).toBe('PROTOCOL_VIOLATION');
    expect(await word(call_id)).toBe('PROTOCOL_VIOLATION');
    gate.resolve();
    const { seq } = await seeEntry(ada, { type: 'RUN_FINISHED' });
    expect(await word(call_id)).toBe('PROTOCOL_VIOLATION');

    expect(await history.head(id)).toMatchObject({ last: Number(seq) });
  });

  test('asks once: for another question it takes another call', async () => {
    const failures: unknown[] = [];
    const { ada, id } = await calling(async (call) => {
      const first = call.ask('One?');
      await call.ask('Two?').catch((error: Error) => failures.push(error.message));
      await first;
    });
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'TOOL_UPDATE' });
    tell(ada, id, 'TOOL_UPDATE', { call_id: await idOfCall(ada), status: 'APPROVED' });
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(failures).toEqual([expect.stringContaining('asks once')]);
  });

  test('[RUN-2] F58: is cancelled by TOOL_CANCEL of another participant: its own signal fires, the turn goes on', async () => {
    const seen: unknown[] = [];
    const { ada, eve, id } = await calling(async (call, turn) => {
      await call.ask('Sure?').catch((error: unknown) => seen.push(error === call.signal.reason));
      seen.push(call.signal.aborted, turn.signal.aborted);
      await call.done('half');
      await turn.reply('and on it goes');
    });
    await say(ada, id, 'go');
    await seeEntry(eve, { type: 'TOOL_UPDATE' });
    tell(eve, id, 'TOOL_CANCEL', { call_id: await idOfCall(eve) });
    const finished = await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(seen).toEqual([true, true, false]);
    expect(finished.payload).toEqual({ status: 'OK' });
    expect(callsOf(ada).at(-1)).toEqual(['TOOL_DONE', { status: 'CANCELLED', result: 'half' }]);
    expect(entriesOf(ada).map(({ payload }) => payload)).toContain('and on it goes');
  });

  test('a tool that lets the cancelling of its call end its turn is no failing tool', async () => {
    const { ada, id, logged } = await calling(async (call) => void (await call.ask('Sure?')));
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'TOOL_UPDATE' });
    tell(ada, id, 'TOOL_CANCEL', { call_id: await idOfCall(ada) });
    const finished = await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(finished.payload).toEqual({ status: 'CANCELLED', summary: 'a call was cancelled' });
    expect(callsOf(ada).at(-1)).toEqual(['TOOL_DONE', { status: 'CANCELLED' }]);
    expect(logged).toEqual([]);
  });

  test('F58: whose tool ignores the cancel is ended for it once the grace is over; its late result is dropped', async () => {
    const gate = Promise.withResolvers<void>();
    const { ada, id, clock } = await calling(async (call) => {
      await gate.promise;
      await call.done('too late');
    });
    await say(ada, id, 'go');
    await settled(ada, tell(ada, id, 'TOOL_CANCEL', { call_id: await idOfCall(ada) }));
    for (let n = 0; n < 5; n++) await clock.settle();
    await clock.advance(4_999);
    expect(callsOf(ada).map((call) => (call as string[])[0])).not.toContain('TOOL_DONE');
    await clock.advance(1);
    await seeEntry(ada, { type: 'TOOL_DONE' });
    gate.resolve();
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(callsOf(ada).filter((call) => (call as string[])[0] === 'TOOL_DONE')).toEqual([
      ['TOOL_DONE', { status: 'CANCELLED' }],
    ]);
    expect(clock.pending).toBeLessThanOrEqual(3);
  });

  test('F58: whose last word was too long is ended for it all the same, if it says no other', async () => {
    const gate = Promise.withResolvers<void>();
    const { ada, id, clock } = await calling(async (call) => {
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      await call.done('x'.repeat(300_000)).catch(() => {});
      await gate.promise;
    });
    await say(ada, id, 'go');
    await settled(ada, tell(ada, id, 'TOOL_CANCEL', { call_id: await idOfCall(ada) }));
    for (let n = 0; n < 5; n++) await clock.settle();
    await clock.advance(5_000);

    expect((await seeEntry(ada, { type: 'TOOL_DONE' })).payload).toMatchObject({ status: 'CANCELLED' });
    gate.resolve();
    await seeEntry(ada, { type: 'RUN_FINISHED' });
  });

  test('F58: that somebody else ended first keeps that end; the tool hears of it and goes on', async () => {
    const failures: string[] = [];
    const { ada, eve, id } = await calling(async (call, turn) => {
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      await call.progress(1).catch((error: Error) => failures.push(error.message));
      await call.done('mine');
      await turn.reply('ok');
    });
    await say(ada, id, 'go');
    tell(eve, id, 'TOOL_DONE', { call_id: await idOfCall(eve), result: 'theirs' });
    await seeEntry(ada, { payload: 'ok' });

    expect(callsOf(ada).at(-1)).toEqual(['TOOL_DONE', { result: 'theirs' }]);
    expect(failures).toEqual([expect.stringContaining('the call has ended')]);
  });

  test.each<[string, string, (turn: Turn) => void | Promise<void>]>([
    ['OK', 'RUN_FINISHED', () => {}],
    ['INTERRUPTED', 'RUN_ERROR', () => Promise.reject(new Error('broken'))],
  ])('that the tool left open is ended with its turn, as %s', async (status, type, end) => {
    const { ada, id } = await calling((_call, turn) => end(turn));
    await say(ada, id, 'go');
    await seeEntry(ada, { type });

    expect(callsOf(ada).at(-1)).toEqual(['TOOL_DONE', { status }]);
    expect(entriesOf(ada).at(-1)?.type).toBe(type);
  });

  test('[RUN-2] is stopped and ended with its run, what it waits for included', async () => {
    const reasons: unknown[] = [];
    const { ada, id } = await calling(async (call, turn) => {
      await call.ask('Sure?').catch(() => reasons.push(call.signal.reason === turn.signal.reason));
    });
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'TOOL_UPDATE' });
    const { run_id } = await seeEntry(ada, { type: 'RUN_STARTED' });
    tell(ada, id, 'RUN_CANCEL', { run_id: run_id as string });
    const finished = await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(reasons).toEqual([true]);
    expect(finished.payload).toEqual({ status: 'CANCELLED' });
    expect(callsOf(ada).at(-1)).toEqual(['TOOL_DONE', { status: 'CANCELLED' }]);
  });

  test('a cancel of what is over, or never was, is stored and changes nothing [RUN-5]', async () => {
    const { ada, id, history } = await calling((call) => call.done());
    await say(ada, id, 'go');
    const { run_id } = await seeEntry(ada, { type: 'RUN_FINISHED' });
    const call_id = await idOfCall(ada);
    for (const run of [run_id as string, 'never']) await settled(ada, tell(ada, id, 'RUN_CANCEL', { run_id: run }));
    for (const call of [call_id, 'never']) await settled(ada, tell(ada, id, 'TOOL_CANCEL', { call_id: call }));
    const page = await history.read(id, { from: 1 });

    expect(errorsOf(ada)).toEqual([]);
    expect(page?.entries.slice(-4).map(({ type }) => type)).toEqual([
      'RUN_CANCEL',
      'RUN_CANCEL',
      'TOOL_CANCEL',
      'TOOL_CANCEL',
    ]);
  });

  test('F54: nothing of it is stored after TRANSACTION_END, and its signal fires', async () => {
    let kept: Call | undefined;
    const { ada, id, history, clock } = await calling((call) => {
      kept = call;
      return never;
    });
    await say(ada, id, 'go');
    await idOfCall(ada);
    await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
    for (let n = 0; n < 10; n++) await clock.settle();
    const last = (await history.head(id))?.last;
    await expect(kept?.progress(1)).rejects.toThrow('ended');
    await expect(kept?.done('x')).rejects.toThrow('ended');

    expect(kept?.signal.aborted).toBe(true);
    expect(await history.head(id)).toMatchObject({ last });
  });
});

test('A32: so many calls may be open when a client begins one more', async () => {
  const { enter } = testServer({ limits: { maxOpenCalls: 2 } });
  const ada = await enter('ada');
  const { id } = await start(ada);
  const begin = (call_id: string) =>
    ada.send({ type: 'TOOL_CALL', transaction: id, payload: { call_id, tool: 'search' } });
  for (const call of ['a', 'b']) await settled(ada, begin(call));
  expect(await codeOf(ada, begin('c'))).toBe('RUN_LIMIT_EXCEEDED');
});
