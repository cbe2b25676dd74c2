// What people do works from whatever node they are on: the agent runs on one of them, and hears of it through the log.

import type { Turn } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { testNodes, tokenOf } from './nodes.ts';
import { mortalStore } from './stores.ts';
import { entriesOf, join, say, seeEntry, settled, start } from './support.ts';
import { toolThat } from './tools.ts';

/** A tool that writes a little, asks, and waits until it is stopped. */
function asking() {
  const turns: Turn[] = [];
  const calls: AbortSignal[] = [];
  const answers: boolean[] = [];
  const tool = toolThat(async (turn) => {
    turns.push(turn);
    const answer = await turn.stream();
    await answer.write('so far');
    const call = await turn.call('search');
    calls.push(call.signal);
    answers.push(await call.ask('Sure?'));
    await call.done('found');
    await answer.write(', and done');
  });
  return { tool, turns, calls, answers };
}

/** An agent at work on the first node, for somebody there, with somebody on the second node who reads along. */
async function atWork() {
  const nodes = testNodes();
  const { tool, turns, calls, answers } = asking();
  const [one, two] = [nodes.node({ tools: [tool] }), nodes.node({ tools: [tool] })];
  const ada = await one.enter('ada');
  const { id, epoch } = await start(ada, 'tool');
  const eve = await two.enter('eve');
  await join(eve, id);
  await say(ada, id, 'go');
  const { run_id } = await seeEntry(eve, { type: 'RUN_STARTED' });
  const call = await seeEntry(eve, { type: 'TOOL_UPDATE' });
  const call_id = call.payload.call_id as string;
  return { ...nodes, one, two, ada, eve, id, epoch, run_id: run_id as string, call_id, turns, calls, answers };
}

describe('from another node than the one where the agent runs', () => {
  test('[RUN-2] RUN_CANCEL stops the run, once, and everybody sees it end', async () => {
    const { ada, eve, id, run_id, turns } = await atWork();
    eve.send({ type: 'RUN_CANCEL', transaction: id, payload: { run_id, heard_ms: 700 } });
    for (const peer of [ada, eve]) {
      expect(await seeEntry(peer, { type: 'RUN_FINISHED' })).toMatchObject({
        run_id,
        payload: { status: 'CANCELLED' },
      });
    }

    expect(turns.map(({ signal }) => signal.reason)).toMatchObject([{ heardMs: 700 }]);
    expect(entriesOf(ada).filter(({ type }) => type === 'RUN_FINISHED')).toHaveLength(1);
  });

  test('[RUN-2] TOOL_CANCEL stops the call alone', async () => {
    const { ada, eve, id, call_id, turns, calls } = await atWork();
    eve.send({ type: 'TOOL_CANCEL', transaction: id, payload: { call_id } });
    expect(await seeEntry(ada, { type: 'TOOL_DONE' })).toMatchObject({ payload: { call_id, status: 'CANCELLED' } });
    expect(calls.map(({ aborted }) => aborted)).toEqual([true]);
    expect(turns).toHaveLength(1);
  });

  test('an approval reaches the agent that asked', async () => {
    const { ada, eve, id, call_id, answers } = await atWork();
    await settled(eve, eve.send({ type: 'TOOL_UPDATE', transaction: id, payload: { call_id, status: 'APPROVED' } }));
    expect(await seeEntry(eve, { type: 'RUN_FINISHED' })).toMatchObject({ payload: { status: 'OK' } });

    expect(answers).toEqual([true]);
    expect((await seeEntry(ada, { type: 'MESSAGE_END' })).payload.status).toBeUndefined();
  });

  test('F54: TRANSACTION_END stops the run, and nothing is stored behind it', async () => {
    const { clock, inner, ada, eve, id, turns } = await atWork();
    eve.send({ type: 'TRANSACTION_END', transaction: id, payload: {} });
    await seeEntry(ada, { type: 'TRANSACTION_END' });
    await clock.settle();
    const { entries = [] } = (await inner.read(id, { from: 1 })) ?? {};

    expect(turns[0]?.signal.aborted).toBe(true);
    expect(entries.at(-1)?.type).toBe('TRANSACTION_END');
  });

  test('A45: disconnectUser ends the user’s connections on each node at once', async () => {
    const { two, one, ada, eve } = await atWork();
    const elsewhere = await two.enter('ada');
    await two.server.disconnectUser('ada');
    for (const peer of [ada, elsewhere]) expect(await peer.closed).toMatchObject({ code: 1008 });

    expect([one.server.connections, two.server.connections, eve.link.open]).toEqual([0, 1, true]);
  });
});

describe('when the node with the agent dies', () => {
  test('F21 and F50: what it had open is closed as interrupted, its client resumes elsewhere, and what waited is answered there', async () => {
    const nodes = testNodes();
    const answered: string[] = [];
    let dying: ReturnType<typeof mortalStore> | undefined;
    const slow = toolThat(async (turn, text) => {
      if (text !== 'slow') return turn.reply(`to ${text}`);
      answered.push('one: slow');
      await (await turn.stream()).write('so far');
      await new Promise(() => {});
    });
    const quick = toolThat((turn, text) => {
      answered.push(`two: ${text}`);
      return turn.reply(`to ${text}`);
    });
    const one = nodes.node({ tools: [slow] }, (node) => {
      dying = mortalStore(node);
      return dying;
    });
    const two = nodes.node({ tools: [quick] });
    const ada = await one.enter('ada', { attempt: '1' });
    const { id, epoch } = await start(ada, 'tool');
    await say(ada, id, 'slow');
    const part = await seeEntry(ada, { type: 'MESSAGE_PART' });
    const position = await say(ada, id, 'next');
    dying?.kill();
    const resume = [{ transaction: id, epoch, seq: String(Math.max(Number(part.seq), position)) }];
    const back = await two.enter('ada', { resume_token: tokenOf(ada), attempt: '2', resume });
    for (let waited = 0; waited < 40_000; waited += 10_000) {
      await nodes.clock.advance(10_000);
      await settled(back, back.send({ type: 'PING' }));
    }
    await seeEntry(back, { payload: 'to next' });
    dying?.bury();
    const { entries = [] } = (await nodes.inner.read(id, { from: 1 })) ?? {};

    expect(back.session).toBe(ada.session);
    expect(answered).toEqual(['one: slow', 'two: next']);
    const closed = entries.filter(({ type }) => type === 'MESSAGE_END' || type === 'RUN_FINISHED');
    expect(closed.map(({ payload }) => payload)).toMatchObject([
      { status: 'interrupted', text: 'so far' },
      { status: 'INTERRUPTED' },
    ]);
  });
});
