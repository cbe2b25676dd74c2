import { isId } from '@haip/protocol';
import { expect, test } from 'vitest';
import { systemRandom, uuidIds } from '../src/index.ts';

test('an id is a UUID v4, fits the grammar of the wire, and comes once', () => {
  const ids = Array.from({ length: 1_000 }, uuidIds);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isId(id)).toBe(true);
  }
});

test('a random number is from 0 up to, but not including, 1', () => {
  const numbers = Array.from({ length: 1_000 }, systemRandom);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(900);
});
