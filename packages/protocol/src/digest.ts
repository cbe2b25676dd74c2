// A short digest of a message's decoded body, to tell a retry from another message under the same id. Not a secret
// and not a signature: an author could only fool their own once-key. Pure. Spec: §3.

import { isJsonObject, type JsonValue } from './json.ts';

/** JSON text with the keys of each object in order, so that equal values give equal text. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${fields.join(',')}}`;
}

/** Two 32-bit multiply-and-xor lanes over 16-bit units. */
class Lanes {
  #a = 0xdeadbeef;
  #b = 0x41c6ce57;

  add(unit: number): void {
    this.#a = Math.imul(this.#a ^ unit, 2654435761);
    this.#b = Math.imul(this.#b ^ unit, 1597334677);
  }

  text(): string {
    const a = Math.imul(this.#a ^ (this.#a >>> 16), 2246822507) ^ Math.imul(this.#b ^ (this.#b >>> 13), 3266489909);
    const b = Math.imul(this.#b ^ (this.#b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (b >>> 0).toString(16).padStart(8, '0') + (a >>> 0).toString(16).padStart(8, '0');
  }
}

/** The digest of a body: type, payload (equal as JSON) and bytes. 16 hexadecimal digits. */
export function bodyDigest(type: string, payload: JsonValue, bytes?: Uint8Array): string {
  const lanes = new Lanes();
  const text = `${type} ${typeof payload === 'string' ? payload : canonical(payload)} ${typeof payload}`;
  for (let i = 0; i < text.length; i++) lanes.add(text.charCodeAt(i));
  if (bytes !== undefined) {
    lanes.add(0x10000);
    for (const byte of bytes) lanes.add(byte);
  }
  return lanes.text();
}
