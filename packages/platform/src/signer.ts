import type { Signer } from '@haip/protocol';

function toBase64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Compares every character, so that time tells nothing about where two digests differ. */
function isEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i % (b.length || 1));
  return difference === 0;
}

/**
 * HMAC-SHA-256 over Web Crypto. Nodes that share clients share the key.
 *
 * @param key at least 16 characters; left out, a random one, so that tokens die with the process.
 */
export function hmacSigner(key?: string): Signer {
  if (key !== undefined && key.length < 16) throw new RangeError('key: expected at least 16 characters');
  const secret = key === undefined ? crypto.getRandomValues(new Uint8Array(32)) : new TextEncoder().encode(key);
  const imported = crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  // Whoever signs sees a rejection; without this one nobody listens to, it would end the process.
  imported.catch(() => {});

  async function sign(text: string): Promise<string> {
    const mac = await crypto.subtle.sign('HMAC', await imported, new TextEncoder().encode(text));
    return toBase64Url(new Uint8Array(mac));
  }
  return { sign, verify: async (text, mac) => isEqual(await sign(text), mac) };
}
