import type { JsonValue } from '@haip/protocol';

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
