import fc from 'fast-check';
import { expect, test } from 'vitest';
import { base64Length, bytesInBase64 } from '../src/base64.ts';
import { fromBase64, toBase64 } from '../src/index.ts';

test('bytes become the base64 that Buffer makes, and come back the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = toBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(text)).toEqual(bytes);
    }),
  );
});

test('a string is base64 exactly when Buffer reads it and writes it the same, save for the unused bits of its last digit', () => {
  const piece = fc.constantFrom('A', 'b', '9', '+', '/', '=', '-', '_', ' ', '\n', 'é');
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 12 }), (text) => {
      const read = fromBase64(text);
      if (read === undefined) return;
      expect(text).toMatch(/^[A-Za-z0-9+/]*={0,2}$/);
      expect(Buffer.from(text, 'base64')).toEqual(Buffer.from(read));
    }),
  );
});

test.each(['A', 'AA', 'AAA', 'AA=', 'A===', '====', 'AAAA=', 'AA==AAAA', 'AA A', 'AAAA\n', 'A-_A', 'é'])(
  '%j is no base64',
  (text) => {
    expect(fromBase64(text)).toBeUndefined();
  },
);

test.each([0, 1, 2, 3, 100_000])('%i bytes become so long a text, which tells how many they are', (length) => {
  const text = toBase64(new Uint8Array(length).fill(7));
  expect(text).toBe(Buffer.alloc(length, 7).toString('base64'));
  expect(base64Length(length)).toBe(text.length);
  expect(bytesInBase64(text)).toBe(length);
});

test('nothing is the empty string', () => {
  expect(toBase64(new Uint8Array())).toBe('');
  expect(fromBase64('')).toEqual(new Uint8Array());
});
