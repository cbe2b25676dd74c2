// Random bytes as text that addresses and topics may hold. From the platform's generator, as some are secrets.

import { toBase64 } from '@haip/protocol';

/** As base64url; without padding for a multiple of three bytes. */
export function randomText(bytes: number): string {
  const text = toBase64(crypto.getRandomValues(new Uint8Array(bytes)));
  return text.replaceAll('+', '-').replaceAll('/', '_');
}
