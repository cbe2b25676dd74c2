// Text to envelope as a client reads it. A client trusts the server it dialled with grammar and limits, so this checks
// only what a client's own logic stands on, and is small: every page loads it. Servers use `decode`. Spec: §1.

import type { Envelope } from './envelope.ts';
import { Fault } from './errors.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Reads one envelope of a server. A `seq` or `ts` that is no number is read as `"0"`: the public v1 server writes such,
 * and which peer it is shows only by its HAI. Gives a Fault for what is no envelope; never throws.
 */
export function decodeFromServer(text: string): Envelope | Fault {
  let read: Partial<Writable<Envelope>> = {};
  try {
    read = Object(JSON.parse(text));
  } catch {
    // Read as an envelope without anything in it.
  }
  const { id, type, session, channel, transaction, payload } = read;
  if ([id, type, session, channel].some((word) => typeof word !== 'string') || (payload ?? null) === null) {
    return new Fault('PROTOCOL_VIOLATION', { expected: 'an envelope' });
  }
  for (const field of ['seq', 'ts'] as const) {
    const number: unknown = read[field];
    // Never as text: what an object is as text is its own to say, and a deep one takes all of the stack.
    if (typeof number !== 'string' || !/^\d+$/.test(number)) read[field] = '0';
  }
  if (typeof transaction !== 'string' || transaction === 'null') read.transaction = null;
  return read as Envelope;
}
