// A time that somebody else has to do something in. It is not held against them when this process itself stood still: what
// they did meanwhile waits to be read. Fault F36.

import type { Clock, Timer } from '@haip/protocol';

/** A timer that fires later than this after it was due tells of this process. */
export const STALL_MS = 1_000;

/** Calls `over` after `ms`; after a stall it waits once more as long. Once: a process that is always late has limits, too. */
export function deadline(clock: Clock, ms: number, over: () => void): Timer {
  const due = clock.monotonic() + ms;
  let timer = clock.timer(ms, () => {
    if (clock.monotonic() > due + STALL_MS) timer = clock.timer(ms, over);
    else over();
  });
  return { cancel: () => timer.cancel() };
}
