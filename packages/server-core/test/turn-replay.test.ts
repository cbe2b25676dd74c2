import type { Entry, JsonObject, Turn } from '@haip/protocol';
import { expect, test } from 'vitest';
import { ReplayTooOldError } from '../src/index.ts';
import { say, see, seeEntry, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

type Reading = (turn: Turn) => AsyncGenerator<Entry, void, undefined>;

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const read: Entry[] = [];
  for await (const entry of entries) read.push(entry);
  return read;
}

/** What a tool reads in that way, after so many messages of a person and its own answers to them. */
async function readAfter(messages: number, reading: Reading, windowSize = 10_000) {
  let read: Entry[] | unknown;
  const tool = toolThat(async (turn, input) => {
    if (input !== 'read') return turn.reply('heard');
    await turn.reply('reading');
    read = await all(reading(turn)).catch((error: unknown) => error);
    await turn.reply('read');
  });
  const { enter } = testServer({ tools: [tool], history: { windowSize } });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  for (let sent = 0; sent < messages; sent++) await say(ada, id, `message ${sent}`);
  await say(ada, id, 'read');
  await seeEntry(ada, { payload: 'read' });
  return { read: read as Entry[], error: read };
}

const positions = (entries: readonly Entry[]): number[] => entries.map(({ position }) => position);

test('a tool reads the log as it is stored, over many pages, what it said in this turn too', async () => {
  const { read } = await readAfter(150, (turn) => turn.getReplayWindow());
  // The start, 150 messages with their answers, the question and the first answer to it.
  expect(positions(read)).toEqual(Array.from({ length: 303 }, (_, i) => i + 1));
  expect(read[0]).toMatchObject({ type: 'TRANSACTION_START', user: 'ada' });
  expect(read[1]).toMatchObject({ type: 'MESSAGE', channel: 'USER', payload: 'message 0', user: 'ada' });
  expect(read.at(-1)).toMatchObject({ type: 'MESSAGE', channel: 'AGENT', payload: 'reading', user: null });
});

test('a range has both its ends, and none beyond the log', async () => {
  expect(positions((await readAfter(3, (turn) => turn.getReplayWindow(2, 4))).read)).toEqual([2, 3, 4]);
  expect(positions((await readAfter(0, (turn) => turn.getReplayWindow(3, 99))).read)).toEqual([3]);
  expect(positions((await readAfter(0, (turn) => turn.getReplayWindow(50))).read)).toEqual([]);
  expect(positions((await readAfter(0, (turn) => turn.getReplayWindow(2, 1))).read)).toEqual([]);
});

test('without a beginning it begins with what is kept; a range from before that says what is', async () => {
  const { read } = await readAfter(20, (turn) => turn.getReplayWindow(), 10);
  const first = read[0]?.position ?? 0;
  expect(first).toBeGreaterThan(1);
  expect(positions(read)).toEqual(Array.from({ length: 43 - first + 1 }, (_, i) => first + i));

  const { error } = await readAfter(20, (turn) => turn.getReplayWindow(1, 5), 10);
  expect(error).toBeInstanceOf(ReplayTooOldError);
  expect(error).toMatchObject({ code: 'REPLAY_TOO_OLD', firstAvailable: first });
});

test.each([
  [0, undefined, 'from: expected a position, 1 or more, got 0'],
  [1.5, undefined, 'from: expected a position, 1 or more, got 1.5'],
  ['2', undefined, 'from: expected a position, 1 or more, got 2'],
  [1, Number.NaN, 'to: expected a position, got NaN'],
])('a range from %s to %s is refused', async (from, to, message) => {
  const { error } = await readAfter(0, (turn) => turn.getReplayWindow(from as number, to));
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ message });
});

test('what a tool does with an entry changes no log', async () => {
  const tool = toolThat(async (turn, input) => {
    for await (const { payload } of turn.getReplayWindow()) {
      if (typeof payload === 'object') Object.assign(payload as JsonObject, { changed: true });
    }
    await turn.reply(input === 'again' ? JSON.stringify(await all(turn.getReplayWindow())) : 'done');
  });
  const { enter } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool', { n: 1 });
  await say(ada, id, 'once');
  await say(ada, id, 'again');
  const { payload } = await see(ada, ({ seq }) => seq === '5');
  expect(payload).toContain('{"toolName":"tool","params":{"n":1}}');
});
