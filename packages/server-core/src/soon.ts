// Runs jobs once the work at hand is done, within the same turn of the event loop: at the end of a piece of work that is
// marked as one, else when what waits for promises at this moment has run. A resolved promise's continuation: the
// platform's own queueMicrotask does the same and, in Node, makes an async resource for each call.

const now = Promise.resolve();
const jobs: (() => void)[] = [];
let isWorking = false;
let isDue = false;

/** @param job must not throw. */
export function soon(job: () => void): void {
  jobs.push(job);
  if (!isWorking) schedule();
}

function schedule(): void {
  if (isDue) return;
  isDue = true;
  void now.then(runDue);
}

/**
 * Does a piece of work, then at once what it left for soon. Nothing of it may wait: a message that is answered without
 * waiting is then answered without a single promise, at half the cost.
 */
export function work<Owner, Of>(owner: Owner, piece: (owner: Owner, of: Of) => void, of: Of): void {
  isWorking = true;
  try {
    piece(owner, of);
    runAll();
  } finally {
    isWorking = false;
    if (jobs.length > 0) schedule();
  }
}

function runDue(): void {
  isDue = false;
  runAll();
}

function runAll(): void {
  let next = 0;
  try {
    // Grows while it is gone through.
    for (; next < jobs.length; next++) (jobs[next] as () => void)();
  } finally {
    jobs.splice(0, next + 1);
    if (jobs.length > 0) schedule();
  }
}
