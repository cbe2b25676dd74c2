// The verdict on a cursor: go on from there, or be told exactly what is missing. Pure. Spec: §4.

import type { JsonObject, JsonValue } from '@haip/protocol';

/** What a verdict needs to know of a log. */
export interface LogExtent {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
}

export interface CursorVerdict {
  readonly verdict: 'resumed' | 'gap';
  /** Where the reader begins: after this position. */
  readonly position: number;
}

/**
 * Judges where a reader may begin.
 *
 * @param epoch the epoch the client remembers, if any
 * @param seq the last position it has, if it asks to go on from one
 */
export function judgeCursor(log: LogExtent, epoch: JsonValue | undefined, seq: number | undefined): CursorVerdict {
  const begin = log.first - 1;
  if (seq === undefined && epoch === undefined) return { verdict: 'resumed', position: begin };
  if (epoch !== log.epoch) return { verdict: 'gap', position: begin };
  if (seq === undefined) return { verdict: 'resumed', position: begin };
  if (seq > log.last) return { verdict: 'gap', position: log.last };
  return seq < begin ? { verdict: 'gap', position: begin } : { verdict: 'resumed', position: seq };
}

/** The verdict as TRANSACTION_JOIN says it. */
export function verdictPayload(epoch: string, last: number, { verdict, position }: CursorVerdict): JsonObject {
  return verdict === 'resumed'
    ? { verdict, epoch, seq: String(position), last: String(last) }
    : { verdict, epoch, first: String(position + 1), last: String(last) };
}
