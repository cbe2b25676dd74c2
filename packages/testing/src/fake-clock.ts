// Time that stands still until a test moves it. Fires timers one by one in the order they are due and lets what each
// began come to rest before the next, so that a test sees what real time would show. Never waits for real time.

import type { Clock } from '@haip/protocol';
import { settle } from './settle.ts';

const LONGEST = 2 ** 31 - 1;

export interface FakeClockOptions {
  /** The wall clock at the start, in ms since epoch. Default: 2025-01-01T00:00:00Z. */
  readonly now?: number | undefined;
}

export interface FakeClock extends Clock {
  /**
   * Moves both clocks on by `ms`, stopping at each timer on the way. Timers that are begun meanwhile and are due
   * within `ms` fire too. Resolves when all is at rest; rejects with what a timer threw, time standing at that timer.
   * @throws RangeError for a negative or endless time.
   */
  advance(ms: number): Promise<void>;
  /**
   * Moves both clocks on by `ms` at once, as when the process stood still: a busy loop, a laptop's lid. The timers that
   * were due meanwhile fire afterwards, late, in the order they were due; nothing else happened in between.
   * @throws RangeError for a negative or endless time.
   */
  stall(ms: number): Promise<void>;
  /** Lets promises come to rest without moving time. */
  settle(): Promise<void>;
  /** Moves the wall clock alone, forth or back, as NTP or a person would. No timer fires. */
  jumpWall(ms: number): void;
  /** Timers that neither fired nor were cancelled. 0 after all is closed, or something leaks. */
  readonly pending: number;
}

interface FakeTimer {
  readonly due: number;
  readonly fire: () => void;
}

/** A {@link Clock} that a test holds. Its monotonic time begins at 0. */
export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  let wallOffset = options.now ?? Date.UTC(2025, 0, 1);
  let elapsed = 0;
  const timers = new Set<FakeTimer>();

  /** The timer due first; of those due together the one begun first. */
  function nextTimer(until: number): FakeTimer | undefined {
    let next: FakeTimer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  return {
    // Whole, as the platform's: what is written on the wire is this.
    now: () => Math.floor(wallOffset + elapsed),
    monotonic: () => elapsed,
    timer(delayMs, fire) {
      if (!(delayMs >= 0 && delayMs <= LONGEST))
        throw new RangeError(`delay: expected 0 to ${LONGEST} ms, got ${delayMs}`);
      const timer: FakeTimer = { due: elapsed + delayMs, fire };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async advance(ms) {
      if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError(`advance: expected 0 ms or more, got ${ms}`);
      const until = elapsed + ms;
      await settle();
      for (let next = nextTimer(until); next !== undefined; next = nextTimer(until)) {
        timers.delete(next);
        elapsed = Math.max(elapsed, next.due);
        next.fire();
        await settle();
      }
      elapsed = Math.max(elapsed, until);
    },
    async stall(ms) {
      if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError(`stall: expected 0 ms or more, got ${ms}`);
      await settle();
      elapsed += ms;
      await this.advance(0);
    },
    settle: () => settle(),
    jumpWall(ms) {
      wallOffset += ms;
    },
    get pending() {
      return timers.size;
    },
  };
}
