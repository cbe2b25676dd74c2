import { fakeClock } from '@haip/testing';
import { expect, test } from 'vitest';
import { memoryLedger } from '../src/index.ts';

test('a debit is known under its key for 15 minutes', async () => {
  const clock = fakeClock();
  const ledger = memoryLedger({ clock });
  ledger.open('ada', 10);
  await clock.advance(899_999);
  expect(ledger.debit('ada', 'key', 1)).toEqual({ kind: 'taken', balance: 9 });
  await clock.advance(1);
  ledger.debit('ada', 'other', 1);
  await clock.advance(899_998);
  expect(ledger.debit('ada', 'key', 1)).toEqual({ kind: 'known', balance: 8 });
  await clock.advance(900_001);

  expect(ledger.debit('ada', 'key', 1)).toEqual({ kind: 'taken', balance: 7 });
});

test('a debit of more than 15 minutes ago is spent: it pays for nothing else and does not go back', async () => {
  const clock = fakeClock();
  const ledger = memoryLedger({ clock });
  ledger.open('ada', 10);
  await clock.advance(899_999);
  ledger.debit('ada', 'one', 1);
  ledger.debit('ada', 'two', 2);
  await clock.advance(900_000);

  expect(ledger.undo('ada', 'two')).toBeNull();
  expect(ledger.debit('ada', 'one', 1)).toEqual({ kind: 'taken', balance: 6 });
});

test('keys of a ledger that nobody asked for an hour are forgotten', async () => {
  const clock = fakeClock();
  const ledger = memoryLedger({ clock, keyTtlMs: 1_000 });
  ledger.open('ada', 10);
  ledger.debit('ada', 'key', 1);
  await clock.advance(3_600_000);

  expect(ledger.debit('ada', 'key', 1)).toMatchObject({ kind: 'taken' });
});

test('what was taken goes back once, to whom it was taken from', () => {
  const ledger = memoryLedger({ clock: fakeClock() });
  ledger.open('ada', 10);
  ledger.open('adam', 10);
  ledger.debit('ada', 'm key', 4);

  expect(ledger.undo('adam', ' key')).toBeNull();
  expect([ledger.undo('ada', 'm key'), ledger.undo('ada', 'm key')]).toEqual([10, null]);
});

test('an account that was never opened holds nothing, and pays nothing', () => {
  const ledger = memoryLedger({ clock: fakeClock() });

  expect(ledger.debit('eve', 'key', 1)).toEqual({ kind: 'refused', balance: 0 });
  expect([ledger.balance('eve'), ledger.grant('eve', 1)]).toEqual([null, null]);
});
