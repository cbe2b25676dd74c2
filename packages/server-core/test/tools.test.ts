import type { Tool, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import { answerTo, entriesOf, join, say, see, seeEntry, settled, start, testServer, times } from './support.ts';
import { toolThat } from './tools.ts';

const types = (peer: Parameters<typeof entriesOf>[0]): string[] => entriesOf(peer).map(({ type }) => type);

/** A tool that waits in its turn until its signal is aborted, or for ever. */
function hanging(ignoresSignal = false) {
  const turns: Turn[] = [];
  const tool = toolThat(async (turn) => {
    turns.push(turn);
    const writer = await turn.stream();
    await writer.write('so far');
    await new Promise((_, reject) => {
      if (!ignoresSignal) turn.signal.addEventListener('abort', () => reject(turn.signal.reason));
    });
  });
  return { tool, turns };
}

describe.each(bothStores)('a turn, over %s', (_, makeStore) => {
  async function setup(...tools: Tool<unknown>[]) {
    const clock = fakeClock();
    const test = testServer({ clock, history: makeStore(clock), tools });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'tool', { tone: 'kind' });
    return { ...test, ada, id };
  }

  test('[TEXT-4] that replies once is one entry and no run', async () => {
    const { ada, id } = await setup(toolThat((turn, text) => turn.reply(`you said ${text}`)));
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'hello' });
    const reply = await seeEntry(ada, { type: 'MESSAGE' });

    expect(reply).toMatchObject({ payload: 'you said hello', related_id: sent.id, channel: 'AGENT' });
    expect(reply.run_id).toBeUndefined();
    expect(types(ada)).toEqual(['MESSAGE']);
  });

  test('[TEXT-4] that streams is a run: begun, written, ended', async () => {
    const { ada, id } = await setup(
      toolThat(async (turn) => {
        const writer = await turn.stream({ author: 'Bot' });
        await writer.write('a');
        await writer.write('');
        await writer.write('b');
        await writer.end('complete');
        await writer.end();
        await turn.reply('and this');
      }),
    );
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    const entries = entriesOf(ada);

    expect(types(ada)).toEqual([
      'RUN_STARTED',
      'MESSAGE_START',
      'MESSAGE_PART',
      'MESSAGE_PART',
      'MESSAGE_END',
      'MESSAGE',
      'RUN_FINISHED',
    ]);
    expect(new Set(entries.map(({ run_id }) => run_id)).size).toBe(1);
    expect(entries.map(({ related_id }) => related_id)).toEqual([sent.id, ...times(6, () => undefined)]);
    expect(entries[1]?.payload).toMatchObject({ author: 'Bot' });
    expect(entries[4]?.payload).toMatchObject({ status: 'complete' });
    expect(entries[6]?.payload).toEqual({ status: 'OK' });
    expect(new Set(entries.map(({ session }) => session)).size).toBe(1);
    expect(entries[0]?.session).not.toBe(ada.session);
  });

  test('closes what the tool left open', async () => {
    const { ada, id } = await setup(
      toolThat(async (turn) => {
        await (await turn.stream()).write('one');
        await turn.stream();
      }),
    );
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'RUN_FINISHED' });

    expect(types(ada).filter((type) => type === 'MESSAGE_END')).toHaveLength(2);
    expect(types(ada).at(-1)).toBe('RUN_FINISHED');
  });

  test('comes after the one before it, in the order of the log', async () => {
    let running = 0;
    const { ada, id } = await setup(
      toolThat(async (turn, text) => {
        expect(++running).toBe(1);
        for (let n = 0; n < 3; n++) await Promise.resolve();
        await turn.reply(text);
        running--;
      }),
    );
    const sent = times(20, (n) => ada.send({ type: 'MESSAGE', transaction: id, payload: `${n}` }));
    await seeEntry(ada, { payload: '19' });

    expect(entriesOf(ada).map(({ payload, related_id }) => [payload, related_id])).toEqual(
      sent.map(({ payload, id: key }) => [payload, key]),
    );
  });

  test('is told who wrote, with what, and all that was said', async () => {
    let seen: unknown;
    const { ada, id } = await setup(
      toolThat(async (turn) => {
        const { messages } = await turn.conversation();
        seen = { ...{ id: turn.id, transaction: turn.transaction, user: turn.user, params: turn.params }, messages };
        await turn.reply('ok');
      }),
    );
    await say(ada, id, 'first');
    await seeEntry(ada, { payload: 'ok' });
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'second' });
    await see(ada, ({ related_id, type }) => type === 'MESSAGE' && related_id === sent.id);

    expect(seen).toMatchObject({
      id: sent.id,
      transaction: id,
      user: { id: 'ada' },
      params: { tone: 'kind' },
      messages: [{ text: 'first' }, { text: 'ok', channel: 'AGENT' }, { text: 'second', session: ada.session }],
    });
  });

  test('gets a streamed message once, whole, as its text', async () => {
    const { ada, id } = await setup(toolThat((turn, text) => turn.reply(`heard ${text}`)));
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } });
    for (const text of ['Hel', 'lo'])
      ada.send({ type: 'MESSAGE_PART', transaction: id, payload: { message_id: 'm', text } });
    ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } });

    await seeEntry(ada, { payload: 'heard Hello' });
    expect(types(ada)).toEqual(['MESSAGE']);
  });

  test.each<[string, (turn: Turn) => void | Promise<void>]>([
    ['throws', () => expect.unreachable('CANARY')],
    ['rejects', () => Promise.reject(new Error('CANARY'))],
    ['rejects with nothing', () => Promise.reject()],
    [
      'fails in the middle of a stream',
      async (turn) => (await turn.stream()).write('so').then(() => expect.unreachable('CANARY')),
    ],
  ])('F40: that %s ends with RUN_ERROR; the next one and the neighbours go on [TEXT-5]', async (_case, fail) => {
    const { ada, id, enter, logged } = await setup(
      toolThat((turn, text) => (text === 'fail' ? fail(turn) : turn.reply(text))),
    );
    const eve = await enter('eve');
    const other = await start(eve, 'tool');
    await say(ada, id, 'fail');
    const error = await seeEntry(ada, { type: 'RUN_ERROR' });
    await say(ada, id, 'next');
    await seeEntry(ada, { payload: 'next' });
    await say(eve, other.id, 'neighbour');
    await seeEntry(eve, { payload: 'neighbour' });

    expect(error.payload).toEqual({ code: 'TOOL_EXECUTION_ERROR', message: 'the tool failed' });
    expect(types(ada).filter((type) => type === 'RUN_STARTED')).toHaveLength(1);
    expect(JSON.stringify(ada.received)).not.toContain('CANARY');
    expect(logged.map(({ event }) => event)).toContain('tool failed');
  });

  test('F54: is aborted by TRANSACTION_END, and nothing of it is stored after that', async () => {
    const { tool, turns } = hanging();
    const { ada, id, clock, history } = await setup(tool);
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    const end = ada.send({ type: 'TRANSACTION_END', transaction: id });
    const { seq } = await answerTo(ada, end);
    for (let n = 0; n < 10; n++) await clock.settle();

    expect(turns[0]?.signal.aborted).toBe(true);
    expect(await history.head(id)).toMatchObject({ last: Number(seq) });
  });

  test('is cancelled by RUN_CANCEL: the signal fires, what was written stays', async () => {
    const { tool, turns } = hanging();
    const { ada, id, enter } = await setup(tool);
    const eve = await enter('eve');
    await join(eve, id);
    await say(ada, id, 'go');
    const started = await seeEntry(eve, { type: 'RUN_STARTED' });
    await seeEntry(eve, { type: 'MESSAGE_PART' });
    ada.send({ type: 'RUN_CANCEL', transaction: id, payload: { run_id: 'another' } });
    await settled(ada, ada.send({ type: 'PING' }));
    expect(turns[0]?.signal.aborted).toBe(false);
    await settled(
      eve,
      eve.send({ type: 'RUN_CANCEL', transaction: id, payload: { run_id: started.run_id as string } }),
    );
    const finished = await seeEntry(ada, { type: 'RUN_FINISHED' });
    const late = await enter('ada');
    await join(late, id);

    expect(turns[0]?.signal.aborted).toBe(true);
    expect(finished).toMatchObject({ run_id: started.run_id, payload: { status: 'CANCELLED' } });
    expect((await seeEntry(late, { type: 'MESSAGE_END' })).payload).toMatchObject({
      status: 'cancelled',
      text: 'so far',
    });
  });
});

describe('a turn that takes too long', () => {
  test.each([
    ['heeds its signal', false, 0],
    ['ignores its signal', true, 5_000],
  ])('F40: and %s is ended with RUN_ERROR, and the next one goes on', async (_, ignoresSignal, graceMs) => {
    const { tool, turns } = hanging(ignoresSignal);
    const { enter, clock } = testServer({ tools: [tool], limits: { turnTimeoutMs: 60_000 } });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'MESSAGE_PART' });
    const alive = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 10_000) {
        await clock.advance(Math.min(left, 10_000));
        await settled(ada, ada.send({ type: 'PING' }));
      }
    };
    await alive(59_999);
    expect(turns[0]?.signal.aborted).toBe(false);
    await alive(1);
    expect(turns[0]?.signal.aborted).toBe(true);
    await alive(graceMs);
    await seeEntry(ada, { type: 'RUN_ERROR' });

    expect(types(ada)).toEqual(['RUN_STARTED', 'MESSAGE_START', 'MESSAGE_PART', 'MESSAGE_END', 'RUN_ERROR']);
    expect(entriesOf(ada)[3]?.payload).toMatchObject({ status: 'interrupted' });
    await say(ada, id, 'again');
    await see(ada, ({ type }) => turns.length === 2 || type === 'NEVER');
    await expect(turns[0]?.reply('too late')).rejects.toThrow();
    expect(types(ada)).not.toContain('MESSAGE');
  });
});
