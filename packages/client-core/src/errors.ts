// What can go wrong for a client, as errors that say whether trying again can help. Codes in capitals are the wire's
// (an ERROR of the server); codes in lower case are this package's own. Fields are declared only: a page loads no line that
// sets them to undefined first.

/** The base of every error this package makes. */
export class ClientError extends Error {
  override name = 'ClientError';
  declare readonly code: string;
  /** Whether doing the same again can help. */
  declare readonly retry: boolean;

  constructor(code: string, message: string, cause?: unknown, retry = false) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retry = retry;
  }
}

/** What an ERROR says besides its code. */
export interface Refusal {
  readonly message?: string | undefined;
  readonly retry?: boolean | undefined;
  readonly expected?: string | undefined;
  readonly got?: string | undefined;
  /** How long to wait before the same again. */
  readonly retry_after_ms?: number | undefined;
}

/**
 * The server answered with an ERROR, or with a close that says why; or a message is larger than it said it takes. Nothing of
 * what was refused was stored.
 */
export class RefusedError extends ClientError {
  override name = 'RefusedError';
  declare readonly expected: string | undefined;
  declare readonly got: string | undefined;

  constructor(code = 'INTERNAL_ERROR', { message = 'refused', retry, expected, got }: Refusal = {}) {
    super(
      code,
      `${code}: ${message}${expected ? `; expected ${expected}` : ''}${got ? `, got ${got}` : ''}`,
      undefined,
      retry === true,
    );
    this.expected = expected;
    this.got = got;
  }
}

/** What a verdict that refuses says. */
export function refusedVerdict(code: string | undefined): RefusedError {
  const expected = 'a transaction that this user may read';
  return new RefusedError(code, { message: 'start a new one', expected, got: 'none' });
}

/** A replay began before the history that is kept. */
export class ReplayTooOldError extends RefusedError {
  override name = 'ReplayTooOldError';
  /** The first position that can still be had. */
  declare readonly firstAvailable: number;

  constructor(refusal: Refusal, firstAvailable: number) {
    super('REPLAY_TOO_OLD', refusal);
    this.firstAvailable = firstAvailable;
  }
}

/** A message was written and nobody can say any more whether it is in the log. It is not sent again. */
export class UnknownOutcomeError extends ClientError {
  override name = 'UnknownOutcomeError';
  /** The message's id: if it was stored, its entry carries it. */
  declare readonly id: string;

  constructor(id: string, cause: unknown) {
    super('unknown_outcome', `Nobody knows whether ${id} was stored.`, cause);
    this.id = id;
  }
}

/** The connection ended. */
export class ConnectionEndedError extends ClientError {
  override name = 'ConnectionEndedError';
  /** Why, as the wire has it: 4409 when a newer connection took the session over, 1006 when the link was cut. */
  declare readonly closeCode: number;

  constructor(closeCode: number, reason: string, retry: boolean) {
    super('connection_ended', `Connection ended: ${closeCode} ${reason}`, undefined, retry);
    this.closeCode = closeCode;
  }
}

/** The client or the transaction is closed, or not open yet; `cause` says why unless that was the application's doing. */
export class ClosedError extends ClientError {
  override name = 'ClosedError';

  constructor(message: string, cause?: unknown) {
    super('closed', message, cause);
  }
}

/** What was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
