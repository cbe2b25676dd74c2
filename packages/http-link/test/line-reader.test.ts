import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineReader } from '../src/line-reader.ts';

function linesOf(pieces: readonly string[], longest = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  const feed = lineReader((line) => lines.push(line), longest);
  for (const piece of pieces) feed(piece);
  return lines;
}

test('F8: text that comes in pieces has the lines that it has in one', () => {
  const character = fc.constantFrom('a', 'é', '\n', '\r', '\r\n', '\u2028');
  fc.assert(
    fc.property(fc.array(character, { maxLength: 40 }), fc.array(fc.nat(60), { maxLength: 20 }), (characters, cuts) => {
      const text = characters.join('');
      const edges = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
      expect(linesOf(pieces)).toEqual(text.split(/\r\n|\n|\r/).slice(0, -1));
    }),
  );
});

test('a line is given as soon as its end is there, also when that is a CR', () => {
  expect(linesOf(['a\r'])).toEqual(['a']);
  expect(linesOf(['a\r', '', '\n', '\nb\n'])).toEqual(['a', '', 'b']);
});

test('a line that grows over the limit is given up, one within it is not', () => {
  expect(linesOf(['aaa', 'a', '\n'], 4)).toEqual(['aaaa']);
  expect(() => linesOf(['aaa', 'aa', '\n'], 4)).toThrow(RangeError);
});

test('a long line in many pieces takes time in step with its length', () => {
  const pieces = Array.from({ length: 300_000 }, () => 'x');
  expect(linesOf([...pieces, '\n'])[0]).toHaveLength(300_000);
});
