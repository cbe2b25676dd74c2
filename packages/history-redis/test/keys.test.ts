import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeId, encodeId, Keys } from '../src/keys.ts';

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), utf16());

/** Texts with halves of surrogate pairs. */
function utf16(): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
}

test('A68: an id becomes a name of letters, digits and _.:-% only, and is read back whatever is in it', () => {
  fc.assert(
    fc.property(anyText, (id) => {
      expect(encodeId(id)).toMatch(/^[A-Za-z0-9_.:%-]*$/);
      expect(decodeId(encodeId(id))).toBe(id);
    }),
  );
});

test.each([
  ['an id of the protocol stays as it is', 'tx_1.a:B-9', 'tx_1.a:B-9'],
  ['patterns and tags are escaped', '*?[a]{b}', '%2A%3F%5Ba%5D%7Bb%7D'],
  ['an escape is escaped', '%2A', '%252A'],
  ['half a surrogate pair has a name of its own', '\ud800', '%uD800'],
  ['what looks like that name has another', '%uD800', '%25uD800'],
])('%s', (_, id, name) => {
  expect(encodeId(id)).toBe(name);
});

test('A68: no id of a transaction names a key of another one, or of the store', () => {
  const keys = new Keys('haip', 0);
  const ids = ['a', 'a}:entries', 'a:entries', '{a}', 'a{b}', '', '}', 'meta', ':due'];
  const all = ids.flatMap((id) => keys.transaction(encodeId(id)));
  const others = [keys.meta, keys.due, keys.revoked, ...ids.map((id) => keys.list(encodeId(id)))];
  expect(new Set([...all, ...others]).size).toBe(ids.length * 7 + 3);
});
