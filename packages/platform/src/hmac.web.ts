// HMAC-SHA-256 over Web Crypto, wherever there is no Node.

import type { Digest } from './signer.ts';

function toBase64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

export function hmac(key: string | undefined): Digest {
  const secret = key === undefined ? crypto.getRandomValues(new Uint8Array(32)) : new TextEncoder().encode(key);
  const imported = crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  // Whoever signs sees a rejection; without this one nobody listens to, it would end the process.
  imported.catch(() => {});
  return async (text) => {
    const mac = await crypto.subtle.sign('HMAC', await imported, new TextEncoder().encode(text));
    return toBase64Url(new Uint8Array(mac));
  };
}
