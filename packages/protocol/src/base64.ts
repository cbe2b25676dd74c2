// Bytes as text for transports without binary frames (RFC 4648 §4). By `btoa` and `atob`, which are wherever these
// packages run; `Buffer` and `Uint8Array.fromBase64` are not.

const GRAMMAR = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes as padded base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(bytes.reduce((binary, byte) => binary + String.fromCharCode(byte), ''));
}

/** How many characters so many bytes take. */
export function base64Length(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

/** How many bytes so many characters of padded base64 stand for. Reads only its end. */
export function bytesInBase64(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

/** The bytes behind padded base64, or undefined for text that is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!GRAMMAR.test(text)) return undefined;
  const binary = atob(text);
  return new Uint8Array(binary.length).map((_, at) => binary.charCodeAt(at));
}
