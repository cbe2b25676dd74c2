import type { Clock } from '@haip/protocol';

const LONGEST = 2 ** 31 - 1;

/** The platform's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, fire) {
    // Past 2^31−1 both Node and browsers fire at once, which turns "in a month" into "now".
    if (!(delayMs >= 0 && delayMs <= LONGEST))
      throw new RangeError(`delay: expected 0 to ${LONGEST} ms, got ${delayMs}`);
    const timeout = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};
