import { expect, test } from 'vitest';
import { type MemoryHistoryOptions, memoryHistory } from '../src/index.ts';
import { readOptions } from '../src/options.ts';

const refusals: readonly [options: object, message: string][] = [
  [{ windowSize: 0 }, 'windowSize: expected a whole number from 1 to 1000000, got 0'],
  [{ windowSize: -1 }, 'windowSize'],
  [{ windowSize: 1.5 }, 'windowSize'],
  [{ windowSize: Number.NaN }, 'windowSize'],
  [{ windowSize: Number.POSITIVE_INFINITY }, 'windowSize'],
  [{ windowSize: '1000' }, 'windowSize'],
  [{ windowSize: 1_000_001 }, 'windowSize'],
  [{ windowTime: 0 }, 'windowTime: expected more than 0 and at most 366d, as ms or like "24h", got 0'],
  [{ windowTime: -1 }, 'windowTime'],
  [{ windowTime: Number.NaN }, 'windowTime'],
  [{ windowTime: Number.POSITIVE_INFINITY }, 'windowTime'],
  [{ windowTime: 'forever' }, 'windowTime'],
  [{ windowTime: '0h' }, 'windowTime'],
  [{ windowTime: '-1h' }, 'windowTime'],
  [{ windowTime: '1h 30m' }, 'windowTime'],
  [{ windowTime: '367d' }, 'windowTime'],
  [{ windowTime: null }, 'windowTime'],
  [{ maxBytes: 1023 }, 'maxBytes'],
  [{ maxBytes: Number.POSITIVE_INFINITY }, 'maxBytes'],
  [{ keyTtlMs: 899_999 }, 'keyTtlMs: expected a whole number from 900000'],
  [{ keyTtlMs: Number.POSITIVE_INFINITY }, 'keyTtlMs'],
];

test.each(refusals)('A32: a window without a sane bound is refused at start-up: %o', (options, message) => {
  const create = () => memoryHistory(options as MemoryHistoryOptions);
  expect(create).toThrow(RangeError);
  expect(create).toThrow(message);
});

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['30d', 2_592_000_000],
  [1234, 1234],
] as const)('a windowTime of %s is %d ms', (windowTime, ms) => {
  expect(readOptions({ windowTime }).limits.windowTimeMs).toBe(ms);
});

test('what is left out has the documented default, and records outlive the window', () => {
  expect(readOptions({}).limits).toEqual({
    windowSize: 1000,
    windowTimeMs: 3_600_000,
    maxBytes: 8 * 1024 * 1024,
    keyTtlMs: 900_000,
    recordTtlMs: 30 * 86_400_000,
  });
  expect(readOptions({ windowTime: '60d' }).limits.recordTtlMs).toBe(60 * 86_400_000);
});
