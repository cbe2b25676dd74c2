import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sseKind } from '../src/event-framing.ts';
import { events } from '../src/events.ts';

const { framing } = sseKind;

function readAll(...pieces: readonly string[]): (readonly [word: string, json: string])[] {
  const read: (readonly [string, string])[] = [];
  const feed = events.read((word, json) => read.push([word, json]), Number.POSITIVE_INFINITY);
  for (const piece of pieces) feed(piece);
  return read;
}

test('what the server writes is what the client reads', () => {
  const written = [
    framing.open?.('sse/x'),
    framing.frame('{"id":"1"}'),
    framing.alive,
    framing.probe,
    framing.close('{}'),
  ];
  expect(readAll(written.join(''))).toEqual([
    ['open', '{"upstream":"sse/x"}'],
    ['', '{"id":"1"}'],
    ['probe', 'true'],
    ['close', '{}'],
  ]);
});

test('A63: whatever string is in an envelope, it is one event and comes out unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (strings) => {
      const texts = strings.map((text) => JSON.stringify({ payload: text }));
      expect(readAll(texts.map(framing.frame).join(''))).toEqual(texts.map((text) => ['', text]));
    }),
  );
});

test('events are read as the standard says: fields, comments, several lines of data, no data', () => {
  expect(readAll('data:a\n\n')).toEqual([['', 'a']]);
  expect(readAll('data:  a\ndata: b\ndata\n\n')).toEqual([['', ' a\nb\n']]);
  expect(readAll('event: message\ndata: a\n\n')).toEqual([['', 'a']]);
  expect(readAll(': comment\nid: 7\nretry: 10\nevent: other\n\ndata: a\n\n')).toEqual([['', 'a']]);
  expect(readAll('event: x\ndata: {"a":"b: c"}\n\n')).toEqual([['x', '{"a":"b: c"}']]);
  expect(readAll('data: never ended\n')).toEqual([]);
});
