// Waiting that a signal can end. Nothing here leaves a timer or a listener behind.

import type { Clock } from '@haip/protocol';

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

/** Where to wish for something sooner; whoever waits says how. */
export interface Haste {
  now(): void;
}

/** Resolves after `ms`, sooner by `haste`, or at once when the signal is aborted: who waited looks at the signal. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal, haste: Haste): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.timer(ms, resolve);
  haste.now = resolve;
  await orAborted(promise, signal).catch(() => {});
  timer.cancel();
}

/**
 * Lets whoever waits for a promise that was just resolved go on first, through a good number of `await`s of their own.
 * Without it what came in the same read would be handed over before they could listen.
 */
export async function yieldToWaiting(): Promise<void> {
  for (let turn = 0; turn < 32; turn++) await undefined;
}
