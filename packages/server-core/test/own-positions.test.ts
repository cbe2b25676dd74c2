// What a connection remembers of its own entries while its reader stands still. Invariant 18.

import { expect, test } from 'vitest';
import { Participation } from '../src/participation.ts';
import { Reader } from '../src/reader.ts';

interface Outgoing {
  readonly payload: unknown;
}

/** A log as far as a reader looks, and a reader that sends to nobody. */
function standing(forgotten: number[], lastOwn = 0) {
  const said: Outgoing[] = [];
  const log = {
    transaction: 'T',
    epoch: 'one',
    first: 1,
    last: 0,
    audience: { join() {}, leave() {}, moved() {} },
    follow() {},
    unfollow() {},
    after: () => ({ epoch: log.epoch, first: log.first, last: log.last, entries: [] }),
  };
  const outbound = {
    say: (message: Outgoing) => said.push(message),
    send() {},
    frame: () => ({ text: '', bytes: undefined, shared: false }),
  };
  const owner = {
    userId: 'ada',
    maxTextBytes: 1,
    lastOwn,
    readingRefused: () => undefined,
    isUnderWay: () => false,
    takeOwn: () => false,
    forgetOwn: (below: number) => forgotten.push(below),
    failed: (error: unknown) => expect.unreachable(String(error)),
  };
  const delivery = { notices: true, mergesParts: false, needsWindow: () => true, deliver: () => true };
  const reader = new Reader(log as never, outbound as never, delivery, owner, 0);
  reader.open();
  return { log, reader, said };
}

test('I18: a reader says which were trimmed before it came to them, and with another log all', () => {
  const forgotten: number[] = [];
  const { log, reader } = standing(forgotten);
  Object.assign(log, { first: 41, last: 41 });
  reader.wake();
  expect(forgotten).toEqual([41]);
  Object.assign(log, { epoch: 'two', first: 1, last: 1 });
  reader.wake();

  expect(forgotten).toEqual([41, Number.POSITIVE_INFINITY]);
});

test('I11: the unasked verdict names no end of the log below what this connection has stored', () => {
  const nothing = undefined as never;
  const participation = new Participation(nothing, nothing, nothing, nothing);
  participation.claim(34);
  const { log, reader, said } = standing([], participation.lastOwn);
  Object.assign(log, { first: 26, last: 33 });
  reader.wake();

  expect(said.map(({ payload }) => payload)).toEqual([{ verdict: 'gap', epoch: 'one', first: '26', last: '34' }]);
});

test('I18: those that were trimmed are remembered no more, the others are', () => {
  const nothing = undefined as never;
  const participation = new Participation(nothing, nothing, nothing, nothing);
  for (const position of [1, 40, 41]) participation.claim(position);
  participation.forgetOwn(41);

  expect([1, 40, 41].map((position) => participation.takeOwn(position))).toEqual([false, false, true]);
});
