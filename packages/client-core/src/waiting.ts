// Waiting that a signal can end. Nothing here leaves a timer or a listener behind.

/** The promise. Until it is settled an abort calls `abort` with the signal's reason, at once when it came before. */
export function untilSettled<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  abort: (reason: unknown) => void,
): Promise<T> {
  const stop = (): void => abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  return promise.finally(() => signal?.removeEventListener('abort', stop));
}

/** The promise's outcome, or the signal's reason when that comes first. The promise itself goes on. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    untilSettled(promise, signal, reject).then(resolve, reject);
  });
}

/**
 * Lets whoever waits for a promise that was just resolved go on first, through a good number of `await`s of their own.
 * Without it what came in the same read would be handed over before they could listen.
 */
export async function yieldToWaiting(): Promise<void> {
  for (let turn = 0; turn < 32; turn++) await undefined;
}
