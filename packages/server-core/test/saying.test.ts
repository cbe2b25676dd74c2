// What a tool may say: whatever it is given by JavaScript, readers get a message or the tool gets an error.
import type { JsonValue, Turn } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { entriesOf, say, seeEntry, start, testServer } from './support.ts';
import { toolThat } from './tools.ts';

const audio = { bytes: new Uint8Array(1), mime: 'audio/pcm' };
const circle: Record<string, unknown> = {};
circle['self'] = circle;

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function keys(count: number): JsonValue {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`key ${i}`, i]));
}

/** Whatever JavaScript lets a tool pass. */
const any = (value: unknown): never => value as never;

/** Has a tool say it, then one thing more. */
async function tried(speak: (turn: Turn) => unknown) {
  let failure: unknown;
  const tool = toolThat(async (turn) => {
    await Promise.resolve()
      .then(() => speak(turn))
      .catch((error: unknown) => {
        failure = error;
      });
    await turn.reply('the next one');
  });
  const { enter, history } = testServer({ tools: [tool] });
  const ada = await enter();
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  await seeEntry(ada, { payload: 'the next one' });
  const said = entriesOf(ada).filter(({ channel }) => channel === 'AGENT');
  return { failure, said: said.map(({ type, payload }) => ({ type, payload })), ada, id, history };
}

describe('what is no message is rejected, and nothing of it is stored', () => {
  test.each<[string, (turn: Turn) => unknown, RegExp]>([
    ['null', (turn) => turn.reply(null), /MESSAGE: expected payload: a JSON value other than null, got null/],
    ['undefined', (turn) => turn.reply(any(undefined)), /MESSAGE: expected payload: a JSON value, got a undefined/],
    ['a function', (turn) => turn.reply(any(() => 1)), /expected payload: a JSON value, got a function/],
    ['not a number', (turn) => turn.reply(Number.NaN), /other than null/],
    ['a bigint', (turn) => turn.reply(any({ big: 1n })), /BigInt/],
    ['a circle', (turn) => turn.reply(any(circle)), /circular/],
    ['more levels than a reader reads', (turn) => turn.reply(nested(32)), /at most 31 levels of nesting/],
    ['more keys than a reader reads', (turn) => turn.reply(keys(257)), /at most 256 keys in an object/],
    ['a text of 300 kB', (turn) => turn.reply('x'.repeat(300_000)), /at most 258048 bytes.*turn\.stream\(\)/],
    ['what grows as JSON', (turn) => turn.reply({ text: '\u0000'.repeat(50_000) }), /at most 258048 bytes/],
    ['audio of more than 1 MiB', (turn) => turn.replyAudio({ ...audio, bytes: new Uint8Array(2 ** 20 + 1) }), /pieces/],
    ['bytes that are none', (turn) => turn.replyAudio({ ...audio, bytes: any('abc') }), /bytes: a Uint8Array/],
    ['no bytes at all', (turn) => turn.replyAudio({ ...audio, bytes: any(undefined) }), /bytes: a Uint8Array/],
    ['null for bytes', (turn) => turn.replyAudio({ ...audio, bytes: any(null) }), /bytes: a Uint8Array/],
    ['nothing for audio', (turn) => turn.replyAudio(any(undefined)), /AUDIO: expected/],
    ['the buffer of bytes', (turn) => turn.replyAudio({ ...audio, bytes: any(new ArrayBuffer(4)) }), /Uint8Array/],
    ['no media type', (turn) => turn.replyAudio({ ...audio, mime: 'a"b\n' }), /payload\.mime: a media type/],
    ['no duration', (turn) => turn.replyAudio({ ...audio, durationMs: -1 }), /payload\.duration_ms/],
    ['an author of 129 characters', (turn) => turn.stream({ author: 'x'.repeat(129) }), /payload\.author/],
    ['a call without a name', (turn) => turn.call(any(5)), /payload\.tool: string, got a number/],
    ['params of 300 kB', (turn) => turn.call('search', 'x'.repeat(300_000)), /TOOL_CALL: expected at most 258048/],
  ])('%s', async (_, speak, words) => {
    const { failure, said } = await tried(speak);

    expect(failure).toMatchObject({
      name: expect.stringMatching(/^(Type|Range)Error$/),
      message: expect.stringMatching(words),
    });
    expect(said).toEqual([{ type: 'MESSAGE', payload: 'the next one' }]);
  });

  test.each<[string, (turn: Turn) => unknown]>([
    ['a part', async (turn) => (await turn.stream()).write(any(5))],
    ['a status', async (turn) => (await turn.stream()).end(any(5))],
    ['progress', async (turn) => (await turn.call('search')).progress(any('half'))],
    ['a partial result', async (turn) => (await turn.call('search')).progress(0.5, 'x'.repeat(300_000))],
    ['a question', async (turn) => (await turn.call('search')).ask(null)],
    ['a result', async (turn) => (await turn.call('search')).done('x'.repeat(300_000))],
    ['an end', async (turn) => (await turn.call('search')).done(1, any('GREAT'))],
  ])('%s: what it belongs to is closed in the end, as if nothing had been said', async (_, speak) => {
    const { failure, ada } = await tried(speak);
    await seeEntry(ada, { type: 'RUN_FINISHED' });
    const types = entriesOf(ada).map(({ type }) => type);

    expect(failure).toMatchObject({ message: expect.stringContaining('expected') });
    expect(types.filter((type) => /PART|UPDATE/.test(type))).toEqual([]);
    expect(types.filter((type) => /_END$|_DONE$/.test(type))).toHaveLength(1);
  });

  test('a call may be ended with less when its result was too much', async () => {
    const { said } = await tried(async (turn) => {
      const call = await turn.call('search');
      await call.done('x'.repeat(300_000)).catch(() => call.done('too much to show'));
    });

    expect(said.find(({ type }) => type === 'TOOL_DONE')?.payload).toMatchObject({
      status: 'OK',
      result: 'too much to show',
    });
  });
});

test('a question that was too long was not asked, and a shorter one may be', async () => {
  const { said } = await tried(async (turn) => {
    const call = await turn.call('search');
    await call.ask('x'.repeat(300_000)).catch(() => {});
    void call.ask('sure?');
    await call.done();
  });

  expect(said.filter(({ type }) => type === 'TOOL_UPDATE').map(({ payload }) => payload.ask)).toEqual(['sure?']);
});

describe('what a tool said stays as it was', () => {
  test('whatever becomes of the object, and whoever reads it later', async () => {
    const { said, id, history } = await tried(async (turn) => {
      const answer = { price: 1, at: new Date(0), nothing: undefined };
      const bytes = Buffer.from([1, 2, 3]);
      await turn.reply(any(answer));
      await turn.replyAudio({ bytes, mime: 'audio/pcm' });
      answer.price = 2;
      bytes.fill(0);
      await turn.reply(any(answer));
    });
    const stored = (await history.read(id, { from: 1 }))?.entries ?? [];
    const [first, second] = [1, 2].map((price) => ({ price, at: '1970-01-01T00:00:00.000Z' }));

    expect(said.map(({ payload }) => payload)).toMatchObject([first, {}, second, 'the next one']);
    expect(stored.slice(2).map(({ payload }) => payload)).toMatchObject([first, {}, second, 'the next one']);
    expect(stored[3]?.bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('up to the limits everything is taken', async () => {
    const { failure, said } = await tried(async (turn) => {
      await turn.reply(nested(31));
      await turn.reply(keys(256));
      await turn.reply('x'.repeat(258_046));
      await turn.replyAudio({ ...audio, bytes: new Uint8Array(2 ** 20) });
    });

    expect(failure).toBeUndefined();
    expect(said).toHaveLength(5);
  });
});
