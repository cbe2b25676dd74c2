// What a failed statement means: whether the server was there, whether anything may have been committed, and whose fault
// it may be. Decides nothing.

/** An error that the server itself reported, by its SQLSTATE. */
function stateOf(error: unknown): string | undefined {
  const { severity, code } = error as { severity?: unknown; code?: unknown };
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
}

/** The server is at hand, but does not write: it follows another one, or is about to be promoted. */
export class StandbyError extends Error {
  constructor() {
    super('the server is a standby');
    this.name = 'StandbyError';
  }
}

/** The server is not there, or not now: shutting down, starting, out of connections, cut off, slow to answer. */
export function isOutage(error: unknown): boolean {
  if (error instanceof StandbyError) return true;
  const state = stateOf(error);
  // Connection failures; shutting down, not started yet; too many connections; stood still in a transaction.
  if (state !== undefined) return /^(08...|57P..|53300|25P03)$/.test(state);
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) return true;
  // The client gives these no code.
  return /^(Connection terminated|timeout e|Query read timeout|Client (has|was))/.test(String(message));
}

/** The server has rolled it back because two met: it may be begun anew at once. */
export function isCollision(error: unknown): boolean {
  const state = stateOf(error);
  return state === '40001' || state === '40P01';
}

/** One of several works may be at fault: a value that does not fit (22, 23, 54), a log that somebody else holds (55P03). */
export function mayBeOfOne(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined) return /^(22...|23...|54...|55P03)$/.test(state);
  return error instanceof TypeError || error instanceof RangeError;
}
