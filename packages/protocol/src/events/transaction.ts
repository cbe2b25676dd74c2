// The life of a transaction. START, JOIN, LEAVE and END are stored; replies and requests are not. Spec: §2, §4.

import * as v from 'valibot';
import { decimal, id, json, label, notFromHere, object, text } from './shapes.ts';

export const startFromClient = object({
  toolName: v.optional(label),
  params: v.optional(v.nullable(json)),
  referenceId: notFromHere,
});

/** The answer to a start: the envelope's `transaction` is the real id, `referenceId` the one the client gave. */
export const startFromServer = object({
  referenceId: v.optional(id),
  toolName: v.optional(label),
  params: v.optional(v.nullable(json)),
  epoch: v.optional(id),
});

export const joinFromClient = object({
  epoch: v.optional(id),
  seq: v.optional(decimal),
  verdict: notFromHere,
});

/** The verdict on a cursor. */
const verdict = v.variant('verdict', [
  v.looseObject({ verdict: v.literal('resumed'), epoch: id, seq: decimal, last: decimal }),
  v.looseObject({ verdict: v.literal('gap'), epoch: id, first: decimal, last: decimal }),
  v.looseObject({ verdict: v.literal('refused'), code: label }),
]);

/** As an entry: somebody became a member. */
const joined = object({ verdict: notFromHere });
export const joinFromServer = v.union([verdict, joined]);

export const leave = object({});
export const end = object({ reason: v.optional(label) });

export const listRequest = object({ after: v.optional(label), transactions: notFromHere });
export const listReply = object({
  transactions: v.array(
    object({
      transaction: id,
      toolName: label,
      createdAt: decimal,
      title: v.optional(text),
      endedAt: v.optional(decimal),
    }),
  ),
  next: v.optional(label),
});

export const replayRequest = object({ from_seq: decimal, to_seq: v.optional(decimal) });
