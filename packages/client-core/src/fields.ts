// What a client reads of payloads, and how it makes them. A server is trusted with the types of its own fields. Spec: §6.

import type { JsonValue } from '@haip/protocol';

/** The fields of what a server answers. */
export interface Fields {
  readonly kind?: string;
  readonly verdict?: string;
  readonly epoch?: string;
  readonly seq?: string;
  readonly first?: string;
  readonly last?: string;
  readonly next?: string;
  readonly code?: string;
}

/** The payload, read as these fields. */
export const fieldsOf = (payload: JsonValue): Fields => payload as Fields;

/**
 * What goes over the wire for a value, as it is now: a message that is sent again must be the same, whatever became of
 * the object meanwhile.
 * @throws TypeError for what is no JSON value, and for null, which no payload may be.
 */
export function jsonCopy(value: unknown): JsonValue {
  const copy: JsonValue = JSON.parse(JSON.stringify(value) ?? 'null');
  if (copy === null) throw new TypeError('payload: expected a JSON value other than null');
  return copy;
}
