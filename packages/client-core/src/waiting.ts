// Waiting that a signal can end. Nothing here leaves a timer or a listener behind.

/** The promise's outcome, or the signal's reason when that comes first. The promise itself goes on. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    const done = (): void => signal.removeEventListener('abort', stop);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(done);
  });
}

/**
 * Lets whoever waits for a promise that was just resolved go on first, through a good number of `await`s of their own.
 * Without it what came in the same read would be handed over before they could listen.
 */
export async function yieldToWaiting(): Promise<void> {
  for (let turn = 0; turn < 32; turn++) await undefined;
}
