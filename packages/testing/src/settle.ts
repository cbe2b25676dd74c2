/**
 * Lets everything that is ready run: promise chains of any length, what they begin with `queueMicrotask` and
 * `setImmediate`, and what those begin in turn. Each turn of the event loop empties the microtask queue, so no number
 * of `await`s in the code under test has to be guessed. Not waited for: sockets, files and the crypto thread pool.
 *
 * @param turns of the event loop. Default 4: a chain may itself wait for a turn now and then.
 */
export async function settle(turns = 4): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
