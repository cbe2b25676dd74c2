import { expect, test } from 'vitest';
import { mayTrim, OVERHEAD, planTrim, readWindowLimits, type Slot, type SubjectState } from '../src/index.ts';
import { log } from './rows.ts';

const limits = readWindowLimits({ windowSize: 3, windowTime: 1000, maxBytes: 10_000 }, 1000);
const stream = (state: SubjectState['state'], last: number, entries: number): SubjectState => ({
  key: 'message:m',
  owner: null,
  state,
  isStream: true,
  inner: null,
  last,
  at: 0,
  entries,
});
/** Entries from position 1 on, all of size 100. */
const slots = (...places: readonly (readonly [at: number, of?: SubjectState])[]): Slot[] =>
  places.map(([at, of], i) => ({ position: i + 1, at, size: 100, stream: of ?? null }));
const state = (messages: number, entries: number, fields: object = {}) =>
  log({ last: entries, messages, bytes: entries * (100 + OVERHEAD), frontAt: 0, ...fields });

test('nothing is looked at while the window is neither full nor old', () => {
  expect(mayTrim(state(3, 3), limits, 999)).toBe(false);
  expect(mayTrim(state(4, 4), limits, 0)).toBe(true);
  expect(mayTrim(state(3, 3), limits, 1000)).toBe(true);
  expect(mayTrim(state(1, 1, { bytes: 10_001 }), limits, 0)).toBe(true);
  expect(mayTrim(log(), limits, 1e9)).toBe(false);
});

test('the oldest go until as many are left as may be', () => {
  const plan = planTrim(state(5, 5), limits, 10, slots([0], [1], [2], [3], [4]), true);
  expect(plan).toMatchObject({ first: 3, messages: 3, bytes: 3 * (100 + OVERHEAD), frontAt: 2 });
});

test('what is too old goes, to the last one', () => {
  expect(planTrim(state(3, 3), limits, 1001, slots([0], [1], [2]), true)).toMatchObject({
    first: 3,
    messages: 1,
    frontAt: 2,
  });
  expect(planTrim(state(3, 3), limits, 5000, slots([0], [1], [2]), true)).toMatchObject({
    first: 4,
    messages: 0,
    bytes: 0,
    frontAt: null,
  });
});

test('more must be seen when what is given is not enough to say', () => {
  expect(planTrim(state(5, 5), limits, 10, slots([0]), false)).toBeUndefined();
  expect(planTrim(state(5, 5), limits, 10, slots([0], [1], [2]), false)).toMatchObject({ first: 3 });
  const torn = stream('torn', 4, 2);
  expect(planTrim(state(5, 5), limits, 10, slots([0, torn], [1]), false)).toBeUndefined();
});

test('an open stream stays, and what is behind it; not when too many bytes are', () => {
  const open = stream('open', 1, 1);
  const some = slots([0, open], [1], [2], [3], [4]);
  expect(planTrim(state(5, 5), limits, 5000, some, true)).toMatchObject({ first: 1, messages: 5 });
  const heavy = planTrim(state(4, 5, { bytes: 10_100 }), limits, 0, some, true);
  expect(heavy?.first).toBe(2);
  expect(heavy?.entriesLeft.get(open)).toBe(0);
});

test('a torn text goes as one, when its end may go; until then it is not looked through again', () => {
  const torn = stream('torn', 3, 2);
  const some = slots([0, torn], [0], [900, torn], [900]);
  const young = planTrim(state(3, 4), limits, 1000, some, true);
  expect(young).toMatchObject({ first: 1, messages: 3, frontAt: 900 });
  expect(mayTrim({ ...state(3, 4), frontAt: 900 }, limits, 1500)).toBe(false);
  expect(planTrim(state(3, 4), limits, 1900, some, true)).toMatchObject({ first: 5, messages: 0 });
});

test('a stream counts until its last entry went; one that the end of the transaction cut off is torn', () => {
  const whole = stream('whole', 2, 2);
  const some = slots([0, whole], [0, whole], [1], [1], [1]);
  const plan = planTrim(state(4, 5), limits, 10, some, true);
  expect([plan?.first, plan?.messages, plan?.entriesLeft.get(whole)]).toEqual([3, 3, 0]);
  const cut = stream('open', 2, 2);
  const over = state(4, 5, { endedAt: 1 });
  expect(planTrim(over, limits, 10, slots([0, cut], [0, cut], [1], [1], [1]), true)?.first).toBe(3);
});

test('the newest entry stays, however large', () => {
  const plan = planTrim(state(2, 2, { bytes: 90_000 }), limits, 0, slots([0], [0]), true);
  expect(plan?.first).toBe(2);
});
