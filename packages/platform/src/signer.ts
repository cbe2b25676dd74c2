import type { Signer } from '@haip/protocol';
import { hmac } from '#hmac';
import { isSameSecret } from './same-secret.ts';

/** A keyed digest of a text as base64url, at once or later. */
export type Digest = (text: string) => string | Promise<string>;

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
      return own instanceof Promise ? own.then((late) => isSameSecret(mac, late)) : isSameSecret(mac, own);
    },
  };
}
