import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hmacSigner } from '../src/index.ts';

const key = 'a key of sixteen or more';

describe('the signer', () => {
  test('signs with HMAC-SHA-256, written as base64url: 256 bits [HAI-14]', async () => {
    const expected = createHmac('sha256', key).update('s-1 ada ☕').digest('base64url');
    expect(await hmacSigner(key).sign('s-1 ada ☕')).toBe(expected);
    expect(expected).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('accepts what it signed, on every node with the same key', async () => {
    const mac = await hmacSigner(key).sign('s-1 ada');
    expect(await hmacSigner(key).verify('s-1 ada', mac)).toBe(true);
  });

  test('refuses another text, and every change of one character of the digest', async () => {
    const signer = hmacSigner(key);
    const mac = await signer.sign('s-1 ada');
    expect(await signer.verify('s-1 bob', mac)).toBe(false);
    for (let at = 0; at < mac.length; at++) {
      const changed = mac.slice(0, at) + (mac[at] === 'A' ? 'B' : 'A') + mac.slice(at + 1);
      expect(await signer.verify('s-1 ada', changed)).toBe(false);
    }
  });

  test.each([
    ['nothing', () => ''],
    ['a prefix', (mac: string) => mac.slice(0, -1)],
    ['the digest twice', (mac: string) => mac + mac],
    ['a padded digest', (mac: string) => `${mac}=`],
  ])('refuses %s', async (_what, forge) => {
    const signer = hmacSigner(key);
    expect(await signer.verify('s-1 ada', forge(await signer.sign('s-1 ada')))).toBe(false);
  });

  test('without a key each signer has a random one of its own', async () => {
    const [a, b] = [hmacSigner(), hmacSigner()];
    const mac = await a.sign('s-1 ada');
    expect(await a.verify('s-1 ada', mac)).toBe(true);
    expect(await b.verify('s-1 ada', mac)).toBe(false);
  });

  test('a key shorter than 16 characters is refused when the signer is made', () => {
    expect(() => hmacSigner('x'.repeat(15))).toThrow(/at least 16/);
    expect(() => hmacSigner('x'.repeat(16))).not.toThrow();
  });
});
