// Sums, by a small recursive descent over numbers, + − × ÷ % ^, roots and brackets. Evaluates text, never code.

import type { Skill } from '../notebook.ts';
import { withDigits } from './sequences.ts';

const spoken: readonly (readonly [RegExp, string])[] = [
  [/\bto the power of\b/gi, '^'],
  [/\b(?:multiplied by|times)\b/gi, '*'],
  [/\b(?:divided by|over)\b/gi, '/'],
  [/\bplus\b/gi, '+'],
  [/\bminus\b/gi, '-'],
  [/\bsquared\b/gi, '^2'],
  [/\bcubed\b/gi, '^3'],
  [/(?:%|\bpercent) of\b/gi, '/100*'],
  [/(\d)\s*[x×]\s*(?=[\d(√-])/gi, '$1*'],
  [/[·⋅×]/g, '*'],
  [/÷/g, '/'],
  [/−/g, '-'],
  [/\*\*/g, '^'],
  [/\b(?:the )?square root of\b|\bsqrt\b/gi, '√'],
  [/\bpi\b/gi, String(Math.PI)],
  [/(\d),(?=\d{3}(?:\D|$))/g, '$1'],
];

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

const peek = (cursor: Cursor): string => cursor.tokens[cursor.at] ?? '';
const take = (cursor: Cursor): string => cursor.tokens[cursor.at++] ?? '';

function atom(cursor: Cursor): number {
  const token = take(cursor);
  if (token === '-') return -power(cursor);
  if (token === '+') return power(cursor);
  if (token === '√') return Math.sqrt(atom(cursor));
  if (token !== '(') return token === '' ? Number.NaN : Number(token);
  const value = sum(cursor);
  return take(cursor) === ')' ? value : Number.NaN;
}

function power(cursor: Cursor): number {
  const base = atom(cursor);
  if (peek(cursor) !== '^') return base;
  take(cursor);
  return base ** power(cursor);
}

function product(cursor: Cursor): number {
  let value = power(cursor);
  while (['*', '/', '%'].includes(peek(cursor))) {
    const operator = take(cursor);
    const right = power(cursor);
    value = operator === '*' ? value * right : operator === '/' ? value / right : value % right;
  }
  return value;
}

function sum(cursor: Cursor): number {
  let value = product(cursor);
  while (peek(cursor) === '+' || peek(cursor) === '-')
    value += take(cursor) === '+' ? product(cursor) : -product(cursor);
  return value;
}

/** The value of an expression such as `2 * (3 + 4)`; undefined when it is none. */
export function evaluate(expression: string): number | undefined {
  if (expression.length > 200 || !/^[\d\s.+\-*/%^()√]+$/.test(expression)) return undefined;
  const tokens = expression.match(/\d+(?:\.\d+)?|\.\d+|[+\-*/%^()√]/g) ?? [];
  if (tokens.join('') !== expression.replaceAll(/\s/g, '')) return undefined;
  const cursor = { tokens, at: 0 };
  const value = sum(cursor);
  return cursor.at === tokens.length && !Number.isNaN(value) ? value : undefined;
}

const shown = (value: number): string => new Intl.NumberFormat('en', { maximumFractionDigits: 10 }).format(value);

export const arithmetic: Skill = ({ said }) => {
  const asked = withDigits(said).replace(
    /^(?:what(?:'s| is| are)|how much is|calculate|compute|work out|solve)\s+/i,
    '',
  );
  const expression = spoken
    .reduce((text, [pattern, sign]) => text.replace(pattern, sign), asked)
    .replace(/\s*=?\s*$/, '')
    .trim();
  if (!/[\d)]\s*[+\-*/%^]|√/.test(expression)) return undefined;
  const value = evaluate(expression);
  if (value === undefined) return undefined;
  if (!Number.isFinite(value)) return { text: 'That has no finite answer. Was there a division by zero?' };
  const clean = expression
    .replaceAll(/\s*\/100\*\s*/g, ' % of ')
    .replaceAll('*', '×')
    .replaceAll('/', '÷')
    .replaceAll('-', '−')
    .replaceAll(/(?<=[\d)])\s*([+−×÷])\s*/g, ' $1 ');
  return { text: `${clean.trim()} = ${shown(value)}` };
};
