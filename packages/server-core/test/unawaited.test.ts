// A forgotten `await`, or a tool that goes on when its turn is over: no promise of a turn ends the process, which the test
// runner would report as an unhandled rejection, and what went wrong is in the server's log.
import type { Call, HistoryStore, MessageWriter, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { testHistory } from './stores.ts';
import { say, seeEntry, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

const audio = { bytes: new Uint8Array(1), mime: 'audio/pcm' };
const any = (value: unknown): never => value as never;

interface Kept {
  readonly turn: Turn;
  readonly writer: MessageWriter;
  readonly call: Call;
}

async function kept() {
  const { promise, resolve } = Promise.withResolvers<Kept>();
  const tool = toolThat(async (turn) =>
    resolve({ turn, writer: await turn.stream(), call: await turn.call('search') }),
  );
  const { enter, logged } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { type: 'RUN_FINISHED' });
  return { ...(await promise), logged };
}

/** Until whatever nobody waits for was reported, were it not heard. */
const afterwards = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('when the turn is over', () => {
  test.each<[string, (of: Kept) => unknown]>([
    ['reply', ({ turn }) => turn.reply('late')],
    ['replyAudio', ({ turn }) => turn.replyAudio(audio)],
    ['stream', ({ turn }) => turn.stream()],
    ['call', ({ turn }) => turn.call('search')],
    ['write', ({ writer }) => writer.write('late')],
  ])('%s that nobody waits for costs nothing and is told once', async (_, act) => {
    const scene = await kept();
    for (let i = 0; i < 3; i++) act(scene);
    await afterwards();

    expect(scene.logged).toEqual([
      { level: 'warn', event: 'statement rejected', fields: expect.objectContaining({ message: scene.turn.id }) },
    ]);
  });

  test.each<[string, (of: Kept) => unknown]>([
    ['an end of a message', ({ writer }) => writer.end()],
    ['progress of a call', ({ call }) => call.progress(1)],
    ['a question', ({ call }) => call.ask('sure?')],
    ['an end of a call', ({ call }) => call.done(1)],
    ['the conversation', ({ turn }) => turn.conversation()],
  ])('%s costs nothing', async (_, act) => {
    const scene = await kept();
    act(scene);
    await afterwards();

    expect(scene.logged).toEqual([]);
  });
});

test.each<[string, (turn: Turn) => unknown]>([
  ['a reply', (turn) => turn.reply(null)],
  ['audio', (turn) => turn.replyAudio({ ...audio, mime: 'none' })],
  ['a message', (turn) => turn.stream({ author: any(5) })],
  ['a part', (turn) => turn.stream().then((writer) => void writer.write(any(5)))],
  ['an end', (turn) => turn.stream().then((writer) => void writer.end(any(5)))],
  ['a call', (turn) => turn.call(any(5))],
  ['progress', (turn) => turn.call('search').then((call) => void call.progress(any('half')))],
  ['a result', (turn) => turn.call('search').then((call) => void call.done(any(1n)))],
])('%s that is none and that nobody waits for is in the log of the server', async (_, act) => {
  const tool = toolThat(async (turn) => {
    act(turn);
    await afterwards();
  });
  const { enter, logged } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await say(ada, id, 'again');
  await afterwards();

  expect(logged.filter(({ event }) => event === 'statement rejected').length).toBeGreaterThan(0);
});

test('a question that a tool forgets ends with its turn and costs nothing', async () => {
  const tool = toolThat(async (turn) => void (await turn.call('search')).ask('sure?'));
  const { enter, logged } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { type: 'RUN_FINISHED' });
  await afterwards();

  expect(logged).toEqual([]);
});

test('a reply that nobody waits for and that the store does not take fails the run, and is in the log', async () => {
  const clock = fakeClock();
  const inner = testHistory(clock);
  const history: HistoryStore = {
    ...inner,
    append: async (transaction, drafts, fence) => {
      if (drafts.some(({ payload }) => payload === 'lost')) throw new Error('the store is away');
      return inner.append(transaction, drafts, fence);
    },
  };
  const tool = toolThat((turn) => void turn.reply('lost'));
  const { enter, logged } = testServer({ tools: [tool], history, clock });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');

  expect(await seeEntry(ada, { type: 'RUN_ERROR' })).toMatchObject({ payload: { code: 'TOOL_EXECUTION_ERROR' } });
  expect(logged.map(({ event }) => event)).toContain('statement not stored');
});

test('a logger that throws costs nothing', async () => {
  const tool = toolThat((turn, text) => (text === 'go' ? turn.reply(null) : turn.reply(text)));
  const logger = (): never => {
    throw new Error('disk full');
  };
  const { enter } = testServer({ tools: [tool], logger });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { type: 'RUN_ERROR' });
  await say(ada, id, 'still here');

  expect(await seeEntry(ada, { payload: 'still here' })).toMatchObject({ channel: 'AGENT' });
});
