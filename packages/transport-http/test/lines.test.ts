import fc from 'fast-check';
import { expect, test } from 'vitest';
import { httpKind } from '../src/line-framing.ts';
import { lines } from '../src/lines.ts';

const { framing } = httpKind;

function readAll(...pieces: readonly string[]): (readonly [word: string, json: string])[] {
  const read: (readonly [string, string])[] = [];
  const feed = lines.read((word, json) => read.push([word, json]), Number.POSITIVE_INFINITY);
  for (const piece of pieces) feed(piece);
  return read;
}

test('what the server writes is what the client reads', () => {
  const written = [framing.frame('{"id":"1"}'), framing.alive, framing.probe, framing.close('{"code":1000}')];
  expect(readAll(written.join(''))).toEqual([
    ['', '{"id":"1"}'],
    ['probe', 'true'],
    ['close', '{"code":1000}'],
  ]);
});

test('A64: whatever string is in an envelope, it is one line and comes out unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (strings) => {
      const texts = strings.map((text) => JSON.stringify({ payload: text }));
      expect(readAll(texts.map(framing.frame).join(''))).toEqual(texts.map((text) => ['', text]));
    }),
  );
});
