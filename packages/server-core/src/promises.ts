// Promises that a tool is given, and those that code of the application gives.

/** When nothing is waited for. */
export const settled: Promise<void> = Promise.resolve();

/** What was given as a promise, by whomever it was made; undefined for anything else. */
export function promised<T>(given: T): Promise<Awaited<T>> | undefined {
  const isPromise = typeof (given as PromiseLike<unknown> | null | undefined)?.then === 'function';
  return isPromise ? Promise.resolve(given) : undefined;
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

/** For what is given where nothing is waited for: should it be a promise, its rejection costs nothing. */
export function unheeded(given: unknown): void {
  const late = promised(given);
  if (late) heard(late);
}
