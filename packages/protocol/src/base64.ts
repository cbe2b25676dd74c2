// Bytes as text for transports without binary frames (RFC 4648 §4). Written here because neither `Buffer` nor
// `Uint8Array.fromBase64` is in every place these packages run.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const GRAMMAR = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const values = new Uint8Array(128);
for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i;

/** The bytes as padded base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const bits = (a << 16) | (b << 8) | c;
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += i + 1 < bytes.length ? ALPHABET.charAt((bits >> 6) & 63) : '=';
    text += i + 2 < bytes.length ? ALPHABET.charAt(bits & 63) : '=';
  }
  return text;
}

/** The bytes behind padded base64, or undefined for text that is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!GRAMMAR.test(text)) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const sextet = (at: number): number => values[text.charCodeAt(at) & 127] ?? 0;
  for (let i = 0, out = 0; i < text.length; i += 4) {
    const bits = (sextet(i) << 18) | (sextet(i + 1) << 12) | (sextet(i + 2) << 6) | sextet(i + 3);
    bytes[out++] = bits >> 16;
    if (out < bytes.length) bytes[out++] = (bits >> 8) & 255;
    if (out < bytes.length) bytes[out++] = bits & 255;
  }
  return bytes;
}
