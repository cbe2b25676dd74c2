import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reconnectDelay } from '../src/reconnect-delay.ts';

const range = { minDelayMs: 100, maxDelayMs: 20_000 };

it('a delay lies between 100 ms and a ceiling that doubles up to 20 s [CLOSE-5]', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat(5_000), random, (failures, chance) => {
      const delay = reconnectDelay(failures, () => chance, range);
      expect(delay).toBeGreaterThanOrEqual(100);
      expect(delay).toBeLessThanOrEqual(Math.min(20_000, 100 * 2 ** (failures + 1)));
    }),
  );
});

it('it is spread over all of that', () => {
  expect(reconnectDelay(3, () => 0, range)).toBe(100);
  expect(reconnectDelay(3, () => 0.5, range)).toBe(850);
  expect(reconnectDelay(30, () => 0.999_999, range)).toBe(20_000);
});

it('a range of nothing waits nothing', () => {
  expect(reconnectDelay(7, () => 0.9, { minDelayMs: 0, maxDelayMs: 0 })).toBe(0);
});
