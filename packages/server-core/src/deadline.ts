// A time that somebody else has to do something in. It is not held against them when this process itself stood still: what
// they did meanwhile waits to be read. Fault F36.

import type { Clock, Timer } from '@haip/protocol';

/** A timer that fires later than this after it was due tells of this process. */
export const STALL_MS = 1_000;

/** Calls `over` after `ms`; after a stall it waits once more as long. */
export function deadline(clock: Clock, ms: number, over: () => void): Timer {
  let timer: Timer;
  const wait = (): void => {
    const due = clock.monotonic() + ms;
    timer = clock.timer(ms, () => (clock.monotonic() > due + STALL_MS ? wait() : over()));
  };
  wait();
  return { cancel: () => timer.cancel() };
}
