// The end of a turn of the event loop: when everything that only waited for promises has run.

const now = Promise.resolve();
const { process } = globalThis as { process?: { nextTick?: (job: () => void) => void } };
const schedule = process?.nextTick ?? ((job: () => void) => void now.then(job));
const jobs: (() => void)[] = [];

/**
 * Runs `job`, which must not throw, at the end of this turn where the platform can say that (Node, Deno, Bun), else with
 * the promises. One tick for all jobs of a turn: in Node each costs a microsecond.
 */
export function endOfTurn(job: () => void): void {
  if (jobs.push(job) === 1) schedule(runAll);
}

function runAll(): void {
  let next = 0;
  try {
    // Grows while it is gone through.
    for (; next < jobs.length; next++) (jobs[next] as () => void)();
  } finally {
    jobs.splice(0, next + 1);
    if (jobs.length > 0) schedule(runAll);
  }
}
