// By whose clock things are kept: that of the stores that run, whatever a wall clock says.
import { type FakeClock, fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';
import { commandTo } from './redis-server.ts';
import { createChat, put, withStore } from './stores.ts';

const nextPrefix = temporaryPrefixes();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A clock that shows the same time at first, and none of the other one's jumps: of a process that starts now. */
function clockOfNewProcess(other: FakeClock): FakeClock {
  return fakeClock({ now: other.now() });
}

describe('F38: while a store runs', () => {
  test.each([100 * DAY, -100 * DAY])('a wall clock that jumps by %d ms trims nothing', async (jump) => {
    const clock = fakeClock();
    await withStore({ prefix: nextPrefix(), clock, windowTime: '1h' }, async (store) => {
      await createChat(store);
      clock.jumpWall(jump);
      await put(store);
      expect(await store.head('chat')).toMatchObject({ first: 1, last: 2 });
      await clock.advance(HOUR);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test('nor does it for a store that starts after the jump', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, async (store) => {
      await createChat(store);
      clock.jumpWall(DAY);
      await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (late) => {
        expect(await late.head('chat')).toMatchObject({ first: 1, last: 1 });
        await put(late);
        expect(await store.head('chat')).toMatchObject({ first: 1, last: 2 });
      });
    });
  });

  test('a store whose clock is behind takes on the time of the others', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const [ahead, behind] = [fakeClock(), fakeClock()];
    await withStore({ ...options, clock: ahead }, async (store) => {
      await createChat(store);
      await withStore({ ...options, clock: behind }, async (other) => {
        await ahead.advance(HOUR / 2);
        await put(store);
        await put(other);
        await ahead.advance(HOUR / 2);
        expect(await store.head('chat')).toMatchObject({ first: 2, last: 3 });
      });
    });
  });
});

describe('F38: over a time in which no store ran', () => {
  test('the wall clock says how long that was', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, createChat);
    await clock.advance(HOUR / 2);
    await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 1, last: 1 });
    });
    await clock.advance(HOUR / 2 + 1);
    await withStore({ ...options, clock: clockOfNewProcess(clock) }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 1 });
    });
  });

  test('one that was set back does not turn time back', async () => {
    const options = { prefix: nextPrefix(), windowTime: '1h' as const };
    const clock = fakeClock();
    await withStore({ ...options, clock }, async (store) => {
      await createChat(store);
      await clock.advance(DAY);
      await put(store);
    });
    const behind = fakeClock({ now: clock.now() - 30 * DAY });
    await withStore({ ...options, clock: behind }, async (store) => {
      expect(await store.head('chat')).toMatchObject({ first: 2, last: 2 });
      await behind.advance(HOUR);
      expect(await store.head('chat')).toMatchObject({ first: 3, last: 2 });
    });
  });

  test('without a clock of its own a store goes by that of Redis', async () => {
    const prefix = nextPrefix();
    await withStore({ prefix }, createChat);
    const [seconds] = (await commandTo(redisUrl, ['TIME'])) as [string];
    const { time, wall } = (await commandTo(redisUrl, ['HGETALL', `${prefix}:meta`])) as Record<string, string>;
    expect(Math.abs(Number(wall) - Number(seconds) * 1000)).toBeLessThan(60_000);
    expect(Math.abs(Number(time) - Number(wall))).toBeLessThan(60_000);
  });
});
