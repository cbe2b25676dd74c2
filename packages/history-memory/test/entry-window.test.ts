// The cost of the window, counted in touches of the array it lives in: time would tell of the machine.
import type { Draft } from '@haip/protocol';
import { expect, test } from 'vitest';
import { EntryRows } from '../src/entry-rows.ts';
import { EntryWindow, type Stream } from '../src/entry-window.ts';
import { readOptions } from '../src/options.ts';
import { draft, piece } from './drafts.ts';

/** An entry takes ten places. Each is written, read, cleared, and moved once on average. */
const places = 10;

/** A window over an array that counts how often one of its places is read or written. */
function countedWindow(windowSize: number) {
  let touches = 0;
  const count = (key: string | symbol): void => {
    if (typeof key === 'string' && /^\d+$/.test(key)) touches++;
  };
  const cells = new Proxy<unknown[]>([], {
    get(target, key) {
      count(key);
      return Reflect.get(target, key);
    },
    set(target, key, value) {
      count(key);
      return Reflect.set(target, key, value);
    },
  });
  const { limits } = readOptions({ windowSize, windowTime: 1000, maxBytes: 2 ** 30 });
  const window = new EntryWindow(limits, new EntryRows(cells));
  const push = (one: Draft, at = 0, stream?: Stream): number => {
    const position = window.last + 1;
    window.push(one, position, at, stream);
    window.trim(at);
    return position;
  };
  /** Touches for each time `work` is done, over many times. */
  const cost = (times: number, work: (i: number) => void): number => {
    touches = 0;
    for (let i = 0; i < times; i++) work(i);
    return touches / times;
  };
  return { window, push, cost };
}

const sizes = [10, 1000, 20_000];

test.each(sizes)('a message costs the same few touches in a full window of %d', (size) => {
  const { window, push, cost } = countedWindow(size);
  for (let i = 0; i < 2 * size; i++) push(draft());
  expect(cost(3 * size, () => push(draft()))).toBeLessThan(8 * places);
  expect(window.last - window.first + 1).toBe(size);
});

test.each(sizes)('reading the newest entries costs no more in a window of %d', (size) => {
  const { window, push, cost } = countedWindow(size);
  for (let i = 0; i < size; i++) push(draft());
  expect(cost(100, () => void window.read({ from: window.last }))).toBeLessThan(2 * places);
  expect(cost(100, () => void window.read({ from: window.last + 1 }))).toBeLessThan(4);
  expect(cost(100, () => void window.read({ from: window.last - 50, maxEntries: 10 }))).toBeLessThan(16 * places);
});

test.each(sizes)('a streamed message costs a few touches a part, compaction included, in a window of %d', (size) => {
  const { window, push, cost } = countedWindow(size);
  for (let i = 0; i < 2 * size; i++) push(draft());
  const perStream = cost(500, (i) => {
    const stream: Stream = { state: 'open', last: 0, entries: 0 };
    const start = push(piece('open', `m${i}`), 0, stream);
    for (let part = 0; part < 50; part++) stream.last = push(piece('part', `m${i}`), 0, stream);
    stream.state = 'whole';
    const end = push(piece('end', `m${i}`), 0, stream);
    window.compact({ messageId: `m${i}`, start, end });
  });
  expect(perStream / 52).toBeLessThan(5 * places);
});

test.each(sizes)('an open stream in front of %d messages is not looked for again with each of them', (size) => {
  const { window, push, cost } = countedWindow(10);
  const stream: Stream = { state: 'open', last: 1, entries: 0 };
  push(piece('open', 'm'), 0, stream);
  expect(cost(size, () => push(draft(), 5000))).toBeLessThan(16);
  expect(window.first).toBe(1);
});

test.each(sizes)('a torn text across %d entries is looked through once while its end is young', (size) => {
  const { window, push, cost } = countedWindow(1_000_000);
  const stream: Stream = { state: 'open', last: 1, entries: 0 };
  push(piece('open', 'm'), 0, stream);
  for (let i = 0; i < size; i++) push(draft(), 500);
  stream.last = window.last + 1;
  stream.state = 'torn';
  push(piece('end', 'm'), 900, stream);
  expect(cost(size, () => push(draft(), 1500))).toBeLessThan(16);
  expect(window.first).toBe(1);
  window.trim(1900);
  expect(window.first).toBe(stream.last + 1);
});

test('compaction of a message that began long ago leaves its neighbours in place', () => {
  const { window, push } = countedWindow(1000);
  const stream: Stream = { state: 'open', last: 1, entries: 0 };
  const start = push(piece('open', 'm'), 0, stream);
  for (let i = 0; i < 100; i++) push(i % 2 === 0 ? draft() : piece('part', 'm'), 0, i % 2 === 0 ? undefined : stream);
  stream.state = 'whole';
  const end = push(piece('end', 'm'), 0, stream);
  push(draft());
  window.compact({ messageId: 'm', start, end });
  const kept = window.read({ from: 1 }).map(({ position }) => position);
  expect(kept).toEqual([...Array.from({ length: 50 }, (_, i) => 2 + 2 * i), end, end + 1]);
});
