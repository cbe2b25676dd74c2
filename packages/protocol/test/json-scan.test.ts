import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '../src/json.ts';
import { isJsonObject } from '../src/json.ts';
import { outermostStrings, scanJson } from '../src/json-scan.ts';

/** How deep a value nests: 0 for a scalar. */
function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value) as JsonValue[];
  return 1 + Math.max(0, ...inside.map(depthOf));
}

function mostKeys(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value) as JsonValue[];
  return Math.max(isJsonObject(value) ? inside.length : 0, ...inside.map(mostKeys));
}

const anyJson = fc.jsonValue({ maxDepth: 8 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const spaced = fc.constantFrom(undefined, 1, '\t', '\n');

test('the walk allows a depth exactly when the value nests no deeper', () => {
  fc.assert(
    fc.property(anyJson, spaced, fc.nat(8), (value, space, limit) => {
      expect(scanJson(JSON.stringify(value, undefined, space), limit, 1_000).ok).toBe(depthOf(value) <= limit);
    }),
  );
});

test('the walk allows a number of keys exactly when no object has more', () => {
  fc.assert(
    fc.property(anyJson, spaced, fc.nat(6), (value, space, limit) => {
      expect(scanJson(JSON.stringify(value, undefined, space), 100, limit).ok).toBe(mostKeys(value) <= limit);
    }),
  );
});

test('the walk counts the keys of the outermost object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), anyJson), (object) => {
      expect(scanJson(JSON.stringify(object), 100, 1_000)).toMatchObject({
        ok: true,
        topLevelKeys: Object.keys(object).length,
      });
    }),
  );
});

test('the strings of the outermost object are found under their keys, and no others', () => {
  const plain = fc.stringMatching(/^[a-z,:{}[\] ]{0,6}$/);
  fc.assert(
    fc.property(fc.dictionary(plain, fc.oneof(plain, anyJson)), spaced, fc.array(plain), (object, space, keys) => {
      const wanted = [...keys, ...Object.keys(object).slice(0, 2)];
      const strings = Object.entries(object).filter(
        ([key, value]) => typeof value === 'string' && wanted.includes(key),
      );
      const spelled = strings.map(([key, value]) => [key, JSON.stringify(value).slice(1, -1)]);
      expect(outermostStrings(JSON.stringify(object, undefined, space), wanted)).toEqual(Object.fromEntries(spelled));
    }),
  );
});

test('the walk never throws and never refuses what is within the limits, whatever the text', () => {
  const pieces = fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '\\"', '\\\\');
  fc.assert(fc.property(fc.string({ unit: pieces }), (text) => scanJson(text, 1_000, 1_000).ok));
});

test('a string that ends nowhere ends with the text', () => {
  expect(scanJson('{"a":"[[[[', 1, 5)).toMatchObject({ ok: true, topLevelKeys: 1 });
});

/** A text that counts how many of its characters were looked at. */
function watched(text: string) {
  let looks = 0;
  const charCodeAt = (at: number): number => {
    looks++;
    return text.charCodeAt(at);
  };
  const indexOf = (wanted: string, from = 0): number => {
    const at = text.indexOf(wanted, from);
    looks += (at < 0 ? text.length : at + 1) - from;
    return at;
  };
  const slice = (from: number, to: number): string => {
    looks += to - from;
    return text.slice(from, to);
  };
  const counting = { length: text.length, charCodeAt, indexOf, slice } as unknown as string;
  return { counting, looks: () => looks };
}

const keysOf = (count: number): string => Array.from({ length: count }, (_, i) => `"${i * 400_000}":0`).join(',');

test.each([
  ['backslashes in a string', `"${'\\'.repeat(20_000)}`],
  ['quotes in a string', `"${'\\"'.repeat(10_000)}`],
  ['nothing but quotes', '"'.repeat(20_000)],
  ['strings in a list', `[${'"a",'.repeat(5_000)}`],
  ['objects with many keys', `[${`{${keysOf(256)}},`.repeat(10)}`],
  ['digits', '1'.repeat(20_000)],
  ['brackets that close', ']'.repeat(20_000)],
])('A5: a walk over %s looks at no character more than a few times', (_, text) => {
  for (const walk of [(read: string) => scanJson(read, 32, 256), (read: string) => outermostStrings(read, ['id'])]) {
    const { counting, looks } = watched(text);
    walk(counting);
    expect(looks()).toBeGreaterThanOrEqual(text.length);
    expect(looks()).toBeLessThanOrEqual(3 * text.length);
  }
});

test.each([
  ['keys', `{${keysOf(256)},"one more":`],
  ['levels', '['.repeat(33)],
])('A5: the walk ends where there are too many %s, however much comes after', (_, begin) => {
  const { counting, looks } = watched(begin + begin.repeat(100));
  expect(scanJson(counting, 32, 256).ok).toBe(false);
  expect(looks()).toBeLessThanOrEqual(3 * begin.length);
});

test.each([
  ['1e999', true],
  ['[1,-2E+400]', true],
  ['1'.repeat(309), true],
  ['1'.repeat(308), false],
  [`[${'1'.repeat(200)},${'1'.repeat(200)}]`, false],
  ['0.5', false],
  ['[1,true,false,null,"1e999"]', false],
])('%j may overflow a double: %s', (text, mayOverflow) => {
  expect(scanJson(text, 32, 256)).toMatchObject({ ok: true, mayOverflow });
});
