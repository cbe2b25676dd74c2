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

/** Two 32-bit multiply-and-xor lanes. Kept out of the function: made anew they would be one more object a message. */
const lanes = new Int32Array(2);

function absorb(text: string): void {
  let [a, b] = [lanes[0] as number, lanes[1] as number];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  lanes[0] = a;
  lanes[1] = b;
}

/** The digest of a body: type, payload (equal as JSON) and bytes. Two 32-bit numbers as text. */
export function bodyDigest(type: string, payload: JsonValue, bytes?: Uint8Array): string {
  lanes[0] = 0x5eadbeef;
  lanes[1] = 0x41c6ce57;
  absorb(type);
  absorb(typeof payload === 'string' ? ' text ' : ' json ');
  absorb(typeof payload === 'string' ? payload : canonical(payload));
  let [a, b] = [lanes[0], lanes[1]];
  if (bytes !== undefined) {
    // Marks where the text ends: no 16-bit unit has this value.
    a = Math.imul(a ^ 0x10000, 0x9e3779b1);
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x9e3779b1);
      b = Math.imul(b ^ byte, 0x5f356495);
    }
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return `${a}_${b}`;
}
