import { memoryHistory } from '@haip/history-memory';
import type { Entry, HistoryPage, HistoryStore, JsonObject, Turn } from '@haip/protocol';
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
async function readAfter(messages: number, reading: Reading, history: HistoryStore = memoryHistory()) {
  let read: Entry[] | unknown;
  const tool = toolThat(async (turn, input) => {
    if (input !== 'read') return turn.reply('heard');
    await turn.reply('reading');
    read = await all(reading(turn)).catch((error: unknown) => error);
    await turn.reply('read');
  });
  const { enter } = testServer({ tools: [tool], history });
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
  const { read } = await readAfter(20, (turn) => turn.getReplayWindow(), memoryHistory({ windowSize: 10 }));
  const first = read[0]?.position ?? 0;
  expect(first).toBeGreaterThan(1);
  expect(positions(read)).toEqual(Array.from({ length: 43 - first + 1 }, (_, i) => first + i));

  const { error } = await readAfter(20, (turn) => turn.getReplayWindow(1, 5), memoryHistory({ windowSize: 10 }));
  expect(error).toBeInstanceOf(ReplayTooOldError);
  expect(error).toMatchObject({ code: 'REPLAY_TOO_OLD', firstAvailable: first });
});

test.each([
  [0, undefined],
  [1.5, undefined],
  ['2' as never, undefined],
  [1, Number.NaN],
  [1, '3' as never],
  [undefined, -1],
])('a range from %s to %s is refused', async (from, to) => {
  const { error } = await readAfter(0, (turn) => turn.getReplayWindow(from, to));
  expect(error).toBeInstanceOf(RangeError);
  expect(String(error)).toContain('from, to: expected a position, 1 or more, got');
});

test.each([
  ['is trimmed', (page: HistoryPage) => ({ ...page, first: 250 }), { code: 'REPLAY_TOO_OLD', firstAvailable: 250 }],
  ['is another one', (page: HistoryPage) => ({ ...page, epoch: 'another' }), { code: 'restarted', retry: true }],
  ['is not there any more', () => null, { code: 'restarted', retry: true }],
])('a log that %s while it is read says so: nothing is left out in silence', async (_, changed, expected) => {
  let isChanged = false;
  const inner = memoryHistory();
  const read: HistoryStore['read'] = async (transaction, range) => {
    const page = await inner.read(transaction, range);
    return isChanged && page && range.from === 201 ? changed(page) : page;
  };
  const of = (store: HistoryStore, name: keyof HistoryStore) =>
    name === 'read' ? read : typeof store[name] === 'function' ? store[name].bind(store) : store[name];
  const before: Entry[] = [];
  const { error } = await readAfter(
    150,
    async function* (turn) {
      isChanged = true;
      for await (const entry of turn.getReplayWindow()) {
        before.push(entry);
        yield entry;
      }
    },
    new Proxy(inner, { get: (store, name) => of(store, name as keyof HistoryStore) }),
  );
  expect(error).toMatchObject(expected);
  expect(before).toHaveLength(200);
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
