// Bytes as text for transports without binary frames (RFC 4648 §4). By `btoa` and `atob`, which are wherever these
// packages run; `Buffer` and `Uint8Array.fromBase64` are not.

const GRAMMAR = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes as padded base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The bytes behind padded base64, or undefined for text that is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!GRAMMAR.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
