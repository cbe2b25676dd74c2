// Runs a job once the work at hand is done, within the same turn of the event loop. A resolved promise's continuation:
// the platform's own queueMicrotask does the same and, in Node, makes an async resource for each call.

const now = Promise.resolve();

/** @param job must not throw. */
export function soon(job: () => void): void {
  void now.then(job);
}
