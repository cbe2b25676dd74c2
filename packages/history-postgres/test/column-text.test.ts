import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromColumn, toColumn } from '../src/column-text.ts';

test('A67: every text comes back from its column, and a column has no character that PostgreSQL refuses', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\\', '"', '\0', '\ud800', '\udc00', 'é', '\n', 'u', '0') }),
      (text) => {
        const column = toColumn(text);
        expect(fromColumn(column)).toBe(text);
        expect(column.isWellFormed() && !column.includes('\0')).toBe(true);
      },
    ),
  );
});

test('two texts never share a column', () => {
  expect(toColumn('\\u0000')).not.toBe(toColumn('\0'));
  expect(toColumn('a"b')).not.toBe(toColumn('a\\"b'));
  expect(toColumn('id-1.2:3_4')).toBe('id-1.2:3_4');
});
