import type { Signer } from '@haip/protocol';
import { hmac } from '#hmac';

/** A keyed digest of a text as base64url, at once or later. */
export type Digest = (text: string) => string | Promise<string>;

/** Compares every character, so that time tells nothing about where two digests differ. */
function isEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % (b.length || 1));
  return difference === 0;
}

/**
 * Signs with HMAC-SHA-256. Nodes that share clients share the key.
 *
 * @param key at least 16 characters; left out, a random one, so that tokens die with the process.
 * @throws RangeError for a shorter key.
 */
export function hmacSigner(key?: string): Signer {
  if (key !== undefined && key.length < 16) throw new RangeError('key: expected at least 16 characters');
  const sign = hmac(key);
  return {
    sign,
    verify(text, mac) {
      const own = sign(text);
      return own instanceof Promise ? own.then((late) => isEqual(late, mac)) : isEqual(own, mac);
    },
  };
}
