// The end of a turn of the event loop: when everything that only waited for promises has run.

const now = Promise.resolve();
const { process } = globalThis as { process?: { nextTick?: (job: () => void) => void } };

/** Runs `job`, which must not throw, at the end of this turn where the platform can say that (Node, Deno, Bun), else with the promises. */
export const endOfTurn: (job: () => void) => void = process?.nextTick ?? ((job) => void now.then(job));
