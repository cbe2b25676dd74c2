// Copies of what is stored, for code that may do with them what it likes: change them, or hand their bytes to a worker. A log
// stays as it was written. Pure.

import type { Entry, JsonValue } from '@haip/protocol';

/** The same value, of its holder's own. */
export function ownJson<Value extends JsonValue>(value: Value): Value {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}

/** The same entry, of its holder's own. */
export function ownEntry(entry: Entry): Entry {
  return { ...entry, payload: ownJson(entry.payload), bytes: entry.bytes && new Uint8Array(entry.bytes) };
}
