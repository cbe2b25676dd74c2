import { expect, test } from 'vitest';
import { evaluate } from '../server/assistant/skills/arithmetic.ts';

test.each([
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['2 ^ 3 ^ 2', 512],
  ['-3 + 5', 2],
  ['10 / 4', 2.5],
  ['17 % 5', 2],
  ['√ 16', 4],
  ['.5 * 4', 2],
])('%s is worked out', (expression, value) => {
  expect(evaluate(expression)).toBe(value);
});

test.each(['', '1 +', '(1', '1 2', '1..2', 'alert(1)', 'process.exit()', '2 ** x', '1'.repeat(300)])(
  '%j is no expression',
  (expression) => {
    expect(evaluate(expression)).toBeUndefined();
  },
);

test('division by zero is infinite, for the caller to say so', () => {
  expect(evaluate('1 / 0')).toBe(Number.POSITIVE_INFINITY);
});
