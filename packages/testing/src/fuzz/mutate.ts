// Breaks a JSON text a little: one to four of its tokens are replaced, dropped, doubled, swapped or nested, or the text
// is cut. What comes out is nearly right, which is where readers go wrong. Pure but for the dice.

import type { Dice } from './dice.ts';
import { tokensOf } from './tokens.ts';

const numbers = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e3',
  '007',
  '0x10',
  '.5',
  '+1',
  'NaN',
  '1e999',
  '-1e999',
  '1E-999',
  '1'.repeat(400),
].concat(['9007199254740993', '18446744073709551616', '255', '256', '1048577', '1000000000000000']);
const words = [
  '',
  'null',
  '*',
  '__proto__',
  'constructor',
  'toString',
  'HAI',
  'MESSAGE',
  'SYSTEM',
  '0',
  '1',
  '2',
  '007',
  ' 7 ',
  '-1',
  '1e3',
]
  .concat([
    '18446744073709551615',
    '18446744073709551616',
    '1'.repeat(21),
    'x'.repeat(128),
    'x'.repeat(129),
    'x'.repeat(10_000),
  ])
  .concat([
    '\u0000',
    '\u2028',
    '\ufeff',
    '\u202e',
    '🙂',
    'ｍ１',
    'a\nb',
    "'; drop table",
    '../../etc',
    'audio/opus\r\nX: y',
  ]);
const lone = ['"\\ud800"', '"\\udc00x"', '"\\u0000"', '"\\u005f_proto__"', '"a\\qb"', '"\\u12"', '"\t"'];
const structures = [
  '{}',
  '[]',
  '[null]',
  '["1"]',
  '{"toString":1,"valueOf":1}',
  '{"__proto__":{"polluted":true}}',
  '{"a":1,"a":2}',
];
const deep = (levels: number): string => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const wide = (keys: number): string => `{${Array.from({ length: keys }, (_, i) => `"${i}":0`).join(',')}}`;
/** Just within and just beyond the limits of nesting and keys. */
const edges = [deep(30), deep(31), deep(32), deep(33), wide(255), wide(256), wide(257)];
const heavy = [
  '1'.repeat(100_000),
  deep(5_000),
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `[${'0,'.repeat(20_000)}0]`,
  `"${'\\\\'.repeat(50_000)}"`,
  `"${'x'.repeat(300_000)}"`,
];
const marks = ['{', '}', '[', ']', ':', ',', '"', '\\', '\u0000', '\ufeff', ' ', '\u2028', '/**/'];
const fields = [
  'id',
  'transaction',
  'session',
  'seq',
  'ts',
  'channel',
  'type',
  'payload',
  'ack',
  'from_seq',
  'bin_len',
].concat(['bin_mime', 'pv', 'crit', 'run_id', 'thread_id', 'related_id', 'stranger', '__proto__']);

/** What stands in a value's place: mostly JSON, now and then none. */
function nasty(dice: Dice): string {
  if (dice.once(200)) return dice.pick(heavy);
  if (dice.once(25)) return dice.pick(edges);
  if (dice.once(15)) return dice.pick([...marks, 'undefined', 'True']);
  const kind = dice.pick([numbers, numbers, words, words, lone, structures, ['true', 'false', 'null']]);
  const chosen = dice.pick(kind);
  return kind === words ? JSON.stringify(chosen) : chosen;
}

type Mutation = (tokens: string[], at: number, dice: Dice) => void;

/** The end of the value that begins at `at`, as an index behind it. */
function endOfValue(tokens: readonly string[], at: number): number {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (tokens[i] === '{' || tokens[i] === '[') depth++;
    if (tokens[i] === '}' || tokens[i] === ']') depth--;
    if (depth <= 0) return i + 1;
  }
  return tokens.length;
}

/** Where values are, objects and arrays included. */
function valuesOf(tokens: readonly string[]): number[] {
  const values = tokens.flatMap((_, i) => (tokens[i - 1] === ':' || tokens[i - 1] === '[' ? [i] : []));
  return values.length > 0 ? values : [0];
}

/** Where keys are: a string with a colon behind it. */
function keysOf(tokens: readonly string[]): number[] {
  return tokens.flatMap((_, i) => (tokens[i + 1] === ':' ? [i] : []));
}

/** Most of them leave JSON: what is refused at once tries little. */
const mutations: readonly Mutation[] = [
  (tokens, at, dice) => void tokens.splice(at, endOfValue(tokens, at) - at, nasty(dice)),
  (tokens, at, dice) => void tokens.splice(at, endOfValue(tokens, at) - at, nasty(dice)),
  // A value of another kind: a string without its quotes, a number with them.
  (tokens, at) => {
    const old = tokens[at] as string;
    tokens[at] = old.startsWith('"') ? old.slice(1, -1) : JSON.stringify(old);
  },
  // Two tokens change places.
  (tokens, at, dice) => {
    const other = dice.pick(valuesOf(tokens));
    [tokens[at], tokens[other]] = [tokens[other] as string, tokens[at] as string];
  },
  (tokens, at, dice) => {
    tokens[dice.pick([at, ...keysOf(tokens)])] = JSON.stringify(dice.pick(fields));
  },
  // A field once more, at the front or at the end, perhaps with another value.
  (tokens, at, dice) => {
    const key = dice.pick([at, ...keysOf(tokens)]);
    const value = dice.once(2) ? [nasty(dice)] : tokens.slice(key + 2, endOfValue(tokens, key + 2));
    if (dice.once(2)) tokens.splice(1, 0, tokens[key] as string, ':', ...value, ',');
    else tokens.splice(tokens.length - 1, 0, ',', tokens[key] as string, ':', ...value);
  },
  // A field that is not there yet.
  (tokens, _, dice) => void tokens.splice(1, 0, JSON.stringify(dice.pick(fields)), ':', nasty(dice), ','),
  // A field is dropped.
  (tokens, at, dice) => {
    const key = dice.pick([at, ...keysOf(tokens)]);
    const end = endOfValue(tokens, key + 2);
    tokens.splice(key, end + (tokens[end] === ',' ? 1 : 0) - key);
  },
  // A value goes deeper.
  (tokens, at, dice) => {
    const end = endOfValue(tokens, at);
    const levels = dice.pick([1, 2, 29, 30, 31, 40]);
    tokens.splice(end, 0, ']'.repeat(levels));
    tokens.splice(at, 0, '['.repeat(levels));
  },
  // What is no longer JSON: a token too many, one too few.
  (tokens, _, dice) => {
    const at = dice.below(tokens.length);
    if (dice.once(2)) tokens.splice(at, 1);
    else tokens.splice(at, 0, dice.once(2) ? nasty(dice) : (tokens[at] as string));
  },
];

/** The text with one to four mutations; now and then cut short, or with one character changed. */
export function mutate(text: string, dice: Dice): string {
  const tokens = tokensOf(text);
  const times = 1 + dice.below(dice.pick([1, 1, 2, 4]));
  for (let i = 0; i < times && tokens.length > 0; i++) dice.pick(mutations)(tokens, dice.pick(valuesOf(tokens)), dice);
  const mutated = tokens.join('');
  if (dice.once(20)) return mutated.slice(0, dice.below(mutated.length + 1));
  if (!dice.once(20)) return mutated;
  const at = dice.below(mutated.length + 1);
  return mutated.slice(0, at) + dice.pick(marks) + mutated.slice(at + 1);
}
