// A log's row: who may run its agent, and when it is looked after; and places in the list of revocations.
import { expect, test } from 'vitest';
import {
  type LeaseWork,
  type LogRow,
  mayForget,
  placeOf,
  readPlace,
  readWindowLimits,
  serialOf,
  takeLease,
} from '../src/index.ts';
import { log } from './rows.ts';

const rowOf = (fields: Partial<LogRow> = {}): LogRow => ({
  ...log(),
  serial: 1,
  tidiedAt: 0,
  holder: null,
  leaseUntil: 0,
  leaseRecord: null,
  ...fields,
});
const ask = (holder: string, ttlMs = 1000): LeaseWork => ({ kind: 'lease', transaction: 't', holder, ttlMs });

test('a lease is one holder’s until it runs out, and each new holder has a higher fence', () => {
  const row = rowOf({ leaseRecord: '{}' });
  expect(takeLease(row, ask('one'), 0)).toEqual({ fence: 1, record: '{}' });
  expect(takeLease(row, ask('two'), 999)).toBeNull();
  expect(row).toMatchObject({ holder: 'one', fence: 1, leaseUntil: 1000 });
  expect(takeLease(row, ask('one'), 999)).toEqual({ fence: 1, record: '{}' });
  expect(takeLease(row, ask('two'), 1999)).toEqual({ fence: 2, record: '{}' });
  expect(takeLease(row, ask('one'), 1999)).toBeNull();
  expect(row).toMatchObject({ holder: 'two', fence: 2, leaseUntil: 2999 });
});

test('a log is tidied every so often while anything of it may have to be forgotten, and then no more', () => {
  const limits = readWindowLimits({ keyTtlMs: 1_600_000, windowTime: 1000 }, 1000);
  expect(mayForget(rowOf({ tidiedAt: 0 }), limits, 99_999)).toBe(false);
  expect(mayForget(rowOf({ tidiedAt: 0 }), limits, 100_000)).toBe(true);
  expect(mayForget(rowOf({ tidiedAt: 1_600_000 }), limits, 5_000_000)).toBe(true);
  expect(mayForget(rowOf({ tidiedAt: 1_600_001 }), limits, 5_000_000)).toBe(false);
  expect(mayForget(rowOf({ tidiedAt: 1_600_001, lastAt: 1 }), limits, 5_000_000)).toBe(true);
});

test('a place of this list is after what it names; of another list, or of none, it is before everything', () => {
  expect(readPlace(placeOf('ep/1', 7))).toEqual({ epoch: 'ep/1', serial: 7 });
  for (const none of ['', '/', 'ep', 'ep/', '/7', 'ep/x', 'ep/-1', `ep/${'9'.repeat(16)}`]) {
    expect(readPlace(none)).toBeUndefined();
    expect(serialOf(none, 'ep', 9)).toBe(0);
  }
  expect([undefined, 'ep/7', 'ep/10', 'other/7'].map((place) => serialOf(place, 'ep', 9))).toEqual([9, 7, 0, 0]);
});
