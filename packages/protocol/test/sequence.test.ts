import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeNumber, judgePosition, readDecimal } from '../src/index.ts';

test('F41: a frame that leaves a position out, or begins in the middle of what was read, is a fault [READ-2]', () => {
  expect(judgePosition(4, 6, 6)).toBe('fault');
  expect(judgePosition(4, 3, 6)).toBe('fault');
  expect(judgePosition(4, 4, 6)).toBe('fault');
  expect(judgePosition(0, 2, 2)).toBe('fault');
});

test('F41: a frame whose begin is behind its end is a fault', () => {
  expect(judgePosition(4, 9, 6)).toBe('fault');
});

test('F42: a frame of which all was read is dropped, whatever it begins with [READ-1]', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), fc.nat(2_000), (read, to, from) => {
      fc.pre(to <= read);
      return judgePosition(read, from, to) === 'drop';
    }),
  );
});

test('F41, F42: any frames in any order hand over each position once and in order', () => {
  const frame = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(4)).map(([from, more]) => ({ from, to: from + more }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 200 }), (frames) => {
      const taken: number[] = [];
      let read = 0;
      for (const { from, to } of frames) {
        if (judgePosition(read, from, to) !== 'take') continue;
        for (let position = from; position <= to; position++) taken.push(position);
        read = to;
      }
      expect(taken).toEqual(Array.from({ length: read }, (_, i) => i + 1));
    }),
  );
});

test('a connection counts from 1 without a hole; a number taken before is a repeat [ACK-1, ACK-2]', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (numbers) => {
      let taken = 0;
      for (const number of numbers) {
        const expected = number === taken + 1 ? 'take' : number <= taken ? 'repeat' : 'ahead';
        expect(judgeNumber(taken, number)).toBe(expected);
        if (expected === 'take') taken = number;
      }
    }),
  );
});

test('A10: the highest number is ahead of every count, so nothing wraps [ACK-3]', () => {
  for (const taken of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER - 1]) {
    expect(judgeNumber(taken, readDecimal('18446744073709551615'))).toBe('ahead');
    expect(judgePosition(taken, readDecimal('18446744073709551615'), readDecimal('18446744073709551615'))).toBe(
      'fault',
    );
  }
});
