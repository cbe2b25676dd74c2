// What the promises that a tool is given have in common.

/** When nothing is waited for. */
export const settled: Promise<void> = Promise.resolve();

/** A promise, by whomever it was made. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

const unheard = (): void => {};

/**
 * A promise whose rejection costs nothing when nobody waits for it: a forgotten `await` in one tool must not end the process
 * and with it everybody's connections.
 */
export function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(unheard);
  return promise;
}
