import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyDigest, type JsonValue } from '../src/index.ts';
import { anyPayload } from './arbitraries.ts';

/** The value with the keys of every object in the opposite order. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inside]) => [key, reversed(inside ?? null)]),
  );
}

const isEqual = (a: JsonValue, b: JsonValue): boolean => {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
};

test('the order of keys and the way text was escaped change no digest [LOG-4]', () => {
  fc.assert(
    fc.property(anyPayload, (payload) => {
      expect(bodyDigest('MESSAGE', reversed(payload))).toBe(bodyDigest('MESSAGE', payload));
    }),
  );
  expect(bodyDigest('MESSAGE', JSON.parse('"\\u0041"'))).toBe(bodyDigest('MESSAGE', 'A'));
});

test('two bodies have one digest exactly when they decode equal [LOG-5]', () => {
  fc.assert(
    fc.property(anyPayload, anyPayload, (a, b) => {
      expect(bodyDigest('MESSAGE', a) === bodyDigest('MESSAGE', b)).toBe(isEqual(a, b));
    }),
    { numRuns: 1_000 },
  );
});

const lookAlikes: JsonValue[] = [
  '',
  '""',
  0,
  '0',
  -1,
  '-1',
  false,
  'false',
  true,
  [],
  '[]',
  {},
  '{}',
  [[]],
  ['a,b'],
  ['a', 'b'],
  '["a","b"]',
  { a: 1 },
  '{"a":1}',
  { a: '1' },
  { a: null },
  'a',
  ' a',
  'a string',
  '\ud800',
  '\udc00',
  '\ufffd',
];

test('what looks alike as text is told apart', () => {
  const digests = lookAlikes.map((payload) => bodyDigest('MESSAGE', payload));
  expect(new Set(digests).size).toBe(lookAlikes.length);
});

test('type and bytes count', () => {
  const bytes = (...list: number[]) => new Uint8Array(list);
  const digests = [
    bodyDigest('AUDIO', {}),
    bodyDigest('MESSAGE', {}),
    bodyDigest('AUDIO', {}, bytes()),
    bodyDigest('AUDIO', {}, bytes(0)),
    bodyDigest('AUDIO', {}, bytes(0, 0)),
    bodyDigest('AUDIO', {}, bytes(1, 2)),
    bodyDigest('AUDIO', {}, bytes(2, 1)),
  ];
  expect(new Set(digests).size).toBe(digests.length);
  expect(bodyDigest('AUDIO', {}, bytes(1, 2))).toBe(bodyDigest('AUDIO', {}, bytes(1, 2)));
});

test('ten thousand short messages have ten thousand short digests', () => {
  const digests = new Set(Array.from({ length: 10_000 }, (_, i) => bodyDigest('MESSAGE', `${i}`)));
  expect(digests.size).toBe(10_000);
  expect([...digests].every((digest) => /^-?[0-9]{1,10}_-?[0-9]{1,10}$/.test(digest))).toBe(true);
});
