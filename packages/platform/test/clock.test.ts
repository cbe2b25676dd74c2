import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../src/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the system clock', () => {
  test.each([2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN, -1])(
    'F39: a timer over %d ms is refused, not fired at once',
    (delayMs) => {
      const fire = vi.fn();
      expect(() => systemClock.timer(delayMs, fire)).toThrow(RangeError);
      vi.runAllTimers();
      expect(fire).not.toHaveBeenCalled();
    },
  );

  test('F39: the longest timer, 2^31-1 ms, fires when it is due and not before', () => {
    const fire = vi.fn();
    systemClock.timer(2 ** 31 - 1, fire);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledOnce();
  });

  test('a cancelled timer does not fire, and cancelling one that fired does nothing', () => {
    const [fired, stopped] = [vi.fn(), vi.fn()];
    const first = systemClock.timer(10, fired);
    systemClock.timer(10, stopped).cancel();
    vi.advanceTimersByTime(10);
    first.cancel();
    expect(fired).toHaveBeenCalledOnce();
    expect(stopped).not.toHaveBeenCalled();
  });

  test('the monotonic time stands still when the wall clock jumps back an hour', () => {
    const before = { now: systemClock.now(), monotonic: systemClock.monotonic() };
    vi.setSystemTime(before.now - 3_600_000);
    expect(systemClock.now()).toBe(before.now - 3_600_000);
    expect(systemClock.monotonic()).toBe(before.monotonic);
  });
});
