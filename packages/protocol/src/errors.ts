import type { CloseCode } from './close-codes.ts';
import type { ErrorCode } from './error-codes.ts';

/** A message that is counted in a window, whatever became of it. */
export interface Spent {
  readonly type: string;
  readonly channel: string;
  /** In bytes. */
  readonly size: number;
}

/** What of a refusal the peer is told: what was expected, what came. Never payload text, credentials or internals. */
export interface FaultDetails {
  readonly expected?: string | undefined;
  readonly got?: string | undefined;
  /** The id of the message at fault, when it could be read. */
  readonly relatedId?: string | undefined;
  readonly transaction?: string | null | undefined;
  /** The number of the message at fault, when it could be read: it counts as taken. */
  readonly seq?: string | undefined;
  /** What of its author's window the message took, where it could be read: its size on the wire. */
  readonly spent?: Spent | undefined;
  /** Whether sending the same again can help. Default: what the code says, see `mayRetry`. */
  readonly retry?: boolean | undefined;
  /** Set when the fault ends the connection. */
  readonly close?: CloseCode | undefined;
}

/**
 * A refusal as a value: one wire ERROR or one close, never both ways of telling lost. A plain object and no `Error`,
 * because a flood of bad input must not cost a stack trace each.
 */
export class Fault {
  declare readonly code: ErrorCode;
  declare readonly expected: string | undefined;
  declare readonly got: string | undefined;
  declare readonly relatedId: string | undefined;
  declare readonly transaction: string | null;
  declare readonly seq: string | undefined;
  declare readonly spent: Spent | undefined;
  declare readonly retry: boolean | undefined;
  declare readonly close: CloseCode | undefined;

  constructor(code: ErrorCode, details: FaultDetails = {}) {
    this.code = code;
    this.expected = details.expected;
    this.got = details.got;
    this.relatedId = details.relatedId;
    this.transaction = details.transaction ?? null;
    this.seq = details.seq;
    this.spent = details.spent;
    this.retry = details.retry;
    this.close = details.close;
  }
}
