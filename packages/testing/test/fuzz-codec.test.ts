// The codec fuzz, tested by codecs that are broken on purpose: each must be caught, or the fuzz proves nothing.

import {
  type CodecLimits,
  decode,
  decodeFromServer,
  defaultCodecLimits,
  type Envelope,
  encode,
  eventTypes,
  Fault,
  readEnvelope,
} from '@haip/protocol';
import { expect, test } from 'vitest';
import { type FuzzedCodec, fuzzCodec, fuzzLine } from '../src/fuzz/index.ts';
import { stopwatch } from '../src/fuzz/stopwatch.ts';
import { fromClient, fromServer } from '../src/fuzz/valid-messages.ts';

const withLimits = (limits: Partial<CodecLimits>) => (text: string) =>
  decode(text, { ...defaultCodecLimits, ...limits });

/** Reads through a change of the parsed value; what is no JSON goes on as it came. */
const reading = (change: (value: unknown) => unknown) => (text: string) => {
  try {
    return decode(JSON.stringify(change(JSON.parse(text))));
  } catch {
    return decode(text);
  }
};

const kept: string[][] = [];

const planted: [bug: string, told: RegExp, codec: Partial<FuzzedCodec>][] = [
  ['throws for what is no JSON', /threw SyntaxError/, { decode: (text) => readEnvelope(JSON.parse(text)) }],
  [
    'asks an object of the server for its text',
    /threw TypeError/,
    {
      decodeFromServer: (text) => {
        if (/"seq":{/.test(text)) String(JSON.parse(text).seq);
        return decodeFromServer(text);
      },
    },
  ],
  ['has no limit of nesting', /took what is no envelope/, { decode: withLimits({ maxDepth: 1e6 }) }],
  ['has no limit of keys', /took what is no envelope/, { decode: withLimits({ maxKeys: 1e6 }) }],
  ['has a limit of nesting one too low', /refused what is an envelope/, { decode: withLimits({ maxDepth: 31 }) }],
  ['believes any bin_len', /took what is no envelope/, { decode: withLimits({ maxBinaryBytes: 1e15 }) }],
  ['takes the last of two equal keys', /took what is no envelope/, { decode: reading((value) => value) }],
  [
    'takes a number for its text',
    /took what is no envelope/,
    { decode: reading((value) => ({ ...(value as Envelope), seq: String((value as Envelope).seq) })) },
  ],
  [
    'quotes what it refuses',
    /text of a payload in a fault/,
    {
      decode: (text) => {
        const read = decode(text);
        return read instanceof Fault ? new Fault(read.code, { got: text.slice(-200) }) : read;
      },
    },
  ],
  [
    'has a code of its own',
    /an unknown code/,
    {
      decode: (text) => {
        const read = decode(text);
        return read instanceof Fault ? new Fault('BAD_INPUT' as 'PROTOCOL_VIOLATION') : read;
      },
    },
  ],
  [
    'forgets a field when it writes',
    /ack is another one/,
    { encode: (envelope) => encode({ ...envelope, ack: undefined }) },
  ],
  [
    'writes labels as they are',
    /threw SyntaxError|refuses what it wrote|another one/,
    {
      encode: (envelope) =>
        encode({ ...envelope, thread_id: undefined }).replace(/}$/, `,"thread_id":"${envelope.thread_id}"}`),
    },
  ],
  [
    'is slow with long texts',
    /ms/,
    {
      decode: (text) => {
        const elapsed = stopwatch();
        while (text.length > 40_000 && elapsed() < 60);
        return decode(text);
      },
    },
  ],
  [
    'keeps everything',
    /grew by/,
    {
      decode: (text) => {
        kept.push(Array<string>(16_000).fill(text));
        return decode(text);
      },
    },
  ],
];

test.each(planted)(
  'a codec that %s is caught',
  (_, told, codec) => {
    let found = false;
    for (let seed = 1; seed <= 30 && !found; seed++) {
      const { violations } = fuzzCodec({ codec, cases: 2_000, seed });
      found = violations.some((violation) => told.test(violation.told));
      kept.length = 0;
    }
    expect(found).toBe(true);
  },
  20_000,
);

test('the same seed gives the same cases, another seed others', () => {
  const counts = (seed: number) => fuzzCodec({ cases: 500, seed }).counts;
  expect(counts(5)).toEqual(counts(5));
  expect(counts(5)).not.toEqual(counts(6));
});

test('there are valid payloads of every type that a side writes, and they are valid', () => {
  const broken = Object.entries(eventTypes).flatMap(([type, event]) =>
    [fromClient[type as keyof typeof fromClient], fromServer[type as keyof typeof fromServer]].filter(
      (payloads, side) => (side === 0 ? 'client' in event : 'server' in event) && !payloads?.length,
    ),
  );
  expect(broken).toEqual([]);
});

test('a run ends in one line, at the time that was set', () => {
  const report = fuzzCodec({ cases: 1e9, timeMs: 20 });
  expect(report.cases).toBeLessThan(1e6);
  expect(fuzzLine('codec', report)).toMatch(
    /^codec: seed 1, \d+ cases: .* slowest .* ms, memory .* MiB, 0 violations$/,
  );
});
