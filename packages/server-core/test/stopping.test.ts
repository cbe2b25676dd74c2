import type { Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import { entriesOf, join, type LinkedPeer, say, seeEntry, settled, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

/** A tool that writes a little, then waits: until its signal fires, or for ever. */
function writer(ignoresSignal = false) {
  const turns: Turn[] = [];
  const gate = Promise.withResolvers<void>();
  const tool = toolThat(async (turn, text) => {
    turns.push(turn);
    if (text === 'quick') return turn.reply('quick');
    const answer = await turn.stream();
    await answer.write('so far');
    if (ignoresSignal) await gate.promise;
    else await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
    await answer.write('too late').catch(() => {});
  });
  return { tool, turns, gate };
}

const cancel = (peer: LinkedPeer, transaction: string, run_id: string | undefined, heard?: number) =>
  peer.send({
    type: 'RUN_CANCEL',
    transaction,
    payload: { run_id: run_id as string, ...(heard === undefined ? {} : { heard_ms: heard }) },
  });

describe.each(bothStores)('stopping a run, over %s', (_, makeStore) => {
  async function setup(ignoresSignal = false, limits = {}) {
    const clock = fakeClock();
    const { tool, turns, gate } = writer(ignoresSignal);
    const test = testServer({ clock, history: makeStore(clock), tools: [tool], limits });
    const ada = await test.enter('ada');
    const { id, epoch } = await start(ada, 'tool');
    await say(ada, id, 'go');
    const { run_id } = await seeEntry(ada, { type: 'RUN_STARTED' });
    const part = await seeEntry(ada, { type: 'MESSAGE_PART' });
    return { ...test, turns, gate, ada, id, epoch, run_id, part };
  }

  test('[RUN-2] works from any connection that may, joined or not, while nobody else is connected', async () => {
    const { ada, id, run_id, turns, enter, clock, history } = await setup();
    ada.link.cut();
    await clock.settle();
    expect(turns[0]?.signal.aborted).toBe(false);
    const eve = await enter('eve');
    await settled(eve, cancel(eve, id, run_id, 1_234));
    await clock.settle();
    await join(eve, id);
    const finished = await seeEntry(eve, { type: 'RUN_FINISHED' });

    expect(finished).toMatchObject({ run_id, payload: { status: 'CANCELLED' } });
    expect(turns[0]?.signal.reason).toMatchObject({ heardMs: 1_234 });
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};
    expect(entries.find(({ type }) => type === 'MESSAGE_END')?.payload).toMatchObject({
      text: 'so far',
      status: 'cancelled',
    });
  });

  test('[READ-9, RUN-2] a disconnect stops nothing; after a resume the answer is there, and can be stopped', async () => {
    const { ada, id, epoch, run_id, part, turns, enter, clock } = await setup();
    ada.link.cut();
    await clock.advance(20_000);
    expect(turns[0]?.signal.aborted).toBe(false);
    const back = await enter('ada', { resume: [{ transaction: id, epoch, seq: part.seq }] });
    await settled(back, cancel(back, id, run_id));
    await seeEntry(back, { type: 'RUN_FINISHED' });

    expect(entriesOf(back).map(({ type, payload }) => [type, payload.status])).toEqual([
      ['MESSAGE_END', 'cancelled'],
      ['RUN_FINISHED', 'CANCELLED'],
    ]);
  });

  test('a tool that ignores its signal is reported after the grace, writes no more, and its result is dropped', async () => {
    const { ada, id, run_id, turns, gate, clock, logged, enter, history } = await setup(true, { stopGraceMs: 2_000 });
    const eve = await enter('eve');
    const other = await start(eve, 'tool');
    await settled(ada, cancel(ada, id, run_id));
    for (let n = 0; n < 5; n++) await clock.settle();
    await expect(turns[0]?.reply('late')).rejects.toThrow('cancelled');
    await clock.advance(1_999);
    expect(logged).toEqual([]);
    await say(eve, other.id, 'quick');
    await seeEntry(eve, { payload: 'quick' });
    await clock.advance(1);
    const { seq } = await seeEntry(ada, { type: 'RUN_FINISHED' });
    gate.resolve();
    await clock.settle();

    expect(logged.map(({ event, fields }) => [event, fields['tool'], fields['transaction']])).toEqual([
      ['tool ignored its signal', 'tool', id],
    ]);
    await expect(turns[0]?.reply('late')).rejects.toThrow('over');
    expect(await history.head(id)).toMatchObject({ last: Number(seq) });
    await say(ada, id, 'quick');
    await seeEntry(ada, { payload: 'quick' });
  });

  test('a cancel beside the end of the run leaves one end, and no mark on the next run', async () => {
    const { ada, id, run_id, clock, history } = await setup();
    for (let n = 0; n < 3; n++) cancel(ada, id, run_id);
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    await settled(ada, cancel(ada, id, run_id));
    await say(ada, id, 'again');
    await clock.settle();
    const { entries = [] } = (await history.read(id, { from: 1 })) ?? {};

    expect(entries.filter(({ type }) => type === 'RUN_FINISHED')).toHaveLength(1);
    expect(entries.filter(({ type }) => type === 'RUN_STARTED').length).toBe(2);
  });

  test('F40: a run may take its time and no more: its RUN_ERROR says why', async () => {
    const { ada, turns, clock, logged } = await setup(false, { turnTimeoutMs: 8_000 });
    await clock.advance(7_999);
    expect(turns[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    const error = await seeEntry(ada, { type: 'RUN_ERROR' });

    expect(error.payload).toEqual({ code: 'TOOL_EXECUTION_ERROR', message: 'the tool was not done within 8000 ms' });
    expect(logged.map(({ event }) => event)).toEqual(['turn took too long']);
  });
});
