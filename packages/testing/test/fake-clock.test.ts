import { describe, expect, test } from 'vitest';
import { fakeClock } from '../src/index.ts';

describe('fakeClock', () => {
  test('fires timers in the order they are due, and those due together in the order they were begun', async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    for (const [name, ms] of [
      ['late', 20],
      ['first', 10],
      ['second', 10],
    ] as const) {
      clock.timer(ms, () => fired.push(`${name}@${clock.monotonic()}`));
    }
    await clock.advance(15);
    expect(fired).toEqual(['first@10', 'second@10']);
    await clock.advance(5);
    expect(fired).toEqual(['first@10', 'second@10', 'late@20']);
  });

  test('a timer that a promise chain begins after another one fired is met on the way', async () => {
    const clock = fakeClock();
    const fired: number[] = [];
    clock.timer(10, async () => {
      for (let i = 0; i < 500; i++) await Promise.resolve();
      clock.timer(10, () => fired.push(clock.monotonic()));
    });
    await clock.advance(100);
    expect(fired).toEqual([20]);
    expect(clock.monotonic()).toBe(100);
  });

  test('the wall clock tells whole milliseconds, as the platform does, whatever part of one has passed', async () => {
    const clock = fakeClock({ now: 1000 });
    await clock.advance(2.75);
    expect([clock.now(), clock.monotonic()]).toEqual([1002, 2.75]);
  });

  test('a cancelled timer never fires and is no longer pending', async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    const timer = clock.timer(10, () => fired.push('cancelled'));
    clock.timer(10, () => fired.push('kept'));
    expect(clock.pending).toBe(2);
    timer.cancel();
    expect(clock.pending).toBe(1);
    await clock.advance(10);
    timer.cancel();
    expect(fired).toEqual(['kept']);
    expect(clock.pending).toBe(0);
  });

  test('the wall clock jumps alone, back and forth', async () => {
    const clock = fakeClock({ now: 1000 });
    let fired = false;
    clock.timer(10, () => {
      fired = true;
    });
    clock.jumpWall(3_600_000);
    await clock.settle();
    expect([clock.now(), clock.monotonic(), fired]).toEqual([3_601_000, 0, false]);
    clock.jumpWall(-7_200_000);
    await clock.advance(10);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([-3_598_990, 10, true]);
  });

  test('what a timer throws comes out of advance, at that moment', async () => {
    const clock = fakeClock();
    clock.timer(5, () => {
      throw new Error('broken');
    });
    await expect(clock.advance(10)).rejects.toThrow('broken');
    expect(clock.monotonic()).toBe(5);
  });

  test('F39: a delay that the platform would fire at once is refused', () => {
    const clock = fakeClock();
    for (const delay of [2 ** 31, -1, Number.NaN]) expect(() => clock.timer(delay, () => {})).toThrow(RangeError);
    expect(clock.pending).toBe(0);
  });

  test('a stall fires what was due meanwhile afterwards, late and in order', async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    clock.timer(20, () => void fired.push(`second ${clock.monotonic()}`));
    clock.timer(10, () => {
      fired.push(`first ${clock.monotonic()}`);
      clock.timer(50, () => void fired.push(`begun late ${clock.monotonic()}`));
    });
    const wall = clock.now();
    await clock.stall(1_000);
    expect(fired).toEqual(['first 1000', 'second 1000']);
    expect(clock.now() - wall).toBe(1_000);
    await clock.advance(50);

    expect(fired.at(-1)).toBe('begun late 1050');
    await expect(clock.stall(-1)).rejects.toThrow(RangeError);
  });
});
