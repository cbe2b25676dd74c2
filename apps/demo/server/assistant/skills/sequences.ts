// Things that are counted or recited: numbers, primes, tables, the alphabet. Long enough to cut a connection in.

import type { Answer, Skill } from '../notebook.ts';

const MOST = 500;

const numberWords = new Map([
  ['three', 3],
  ['five', 5],
  ['ten', 10],
  ['twenty', 20],
  ['thirty', 30],
  ['forty', 40],
  ['fifty', 50],
  ['sixty', 60],
  ['seventy', 70],
  ['eighty', 80],
  ['ninety', 90],
  ['a hundred', 100],
  ['one hundred', 100],
  ['hundred', 100],
  ['two hundred', 200],
  ['a thousand', 1000],
  ['one thousand', 1000],
  ['thousand', 1000],
]);

const spelled = new RegExp(`\\b(${[...numberWords.keys()].join('|')})\\b`, 'gi');

/** The text with common number words as digits: "a hundred" → "100". */
export function withDigits(text: string): string {
  return text.replace(spelled, (word) => String(numberWords.get(word.toLowerCase())));
}

function numbersBetween(from: number, to: number, step: number): number[] {
  const size = Math.floor(Math.abs(to - from) / step) + 1;
  const direction = to < from ? -step : step;
  return Array.from({ length: size }, (_, index) => from + index * direction);
}

function recite(items: readonly (number | string)[]): Answer {
  return { text: `${items.join(', ')}.` };
}

const tooMany: Answer = {
  text: `That would take all evening. I count at most ${MOST} numbers at a time; try a smaller stretch.`,
};

function count(from: number, to: number, step: number): Answer {
  if (step < 1) return { text: 'With steps of nought I would never arrive.' };
  if (Math.abs(from) > 1e9 || Math.abs(to) > 1e9 || Math.abs(to - from) / step >= MOST) return tooMany;
  return recite(numbersBetween(from, to, step));
}

export const counting: Skill = ({ said }) => {
  const text = withDigits(said);
  const up =
    /^count (?:up |down )?(?:from (-?\d+) )?(?:up |down )?to (-?\d+)(?: (?:by|in steps of|in) (\d+)s?)?$/i.exec(text);
  const step = Number(up?.[3] ?? 1);
  if (up) return count(Number(up[1] ?? (Number(up[2]) < 1 ? 0 : step)), Number(up[2]), step);
  const down = /^(?:count ?down|count backwards?) from (\d+)(?: by (\d+)s?)?$/i.exec(text);
  return down ? count(Number(down[1]), 0, Number(down[2] ?? 1)) : undefined;
};

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) return false;
  return candidate > 1;
}

function firstPrimes(size: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < size; candidate++) if (isPrime(candidate)) primes.push(candidate);
  return primes;
}

function fibonacci(size: number): bigint[] {
  const numbers = [1n, 1n];
  while (numbers.length < size) numbers.push((numbers.at(-1) ?? 1n) + (numbers.at(-2) ?? 1n));
  return numbers.slice(0, size);
}

export const mathematics: Skill = ({ said }) => {
  const text = withDigits(said);
  const size = Math.min(Number(/\bfirst (\d{1,4})\b/i.exec(text)?.[1] ?? 20), 200);
  const below = /\bprimes?(?: numbers)? (?:up to|below|under) (\d{1,7})$/i.exec(text)?.[1];
  if (below) return recite(numbersBetween(1, Math.max(1, Math.min(Number(below), 1500)), 1).filter(isPrime));
  if (/\bprimes?\b/i.test(text) && /\b(?:list|first|show|give|tell|name)\b/i.test(text))
    return recite(firstPrimes(size));
  if (/\bfibonacci\b/i.test(text)) return recite(fibonacci(size).map(String));
  const prime = /^is (\d{1,10}) (?:a )?prime(?: number)?$/i.exec(text)?.[1];
  if (prime) return { text: isPrime(Number(prime)) ? `Yes, ${prime} is prime.` : `No, ${prime} is not prime.` };
  const table = /\b(?:table (?:of|for) (\d{1,4})|(\d{1,4}) times table|times table (?:of|for) (\d{1,4}))$/i.exec(text);
  const factor = Number(table?.[1] ?? table?.[2] ?? table?.[3] ?? Number.NaN);
  if (Number.isNaN(factor)) return undefined;
  return {
    text: numbersBetween(1, 10, 1)
      .map((n) => `- ${n} × ${factor} = ${n * factor}`)
      .join('\n'),
  };
};

const lists: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\balphabet\b/i, [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']],
  [/\bplanets\b/i, ['Mercury', 'Venus', 'Earth', 'Mars', 'Jupiter', 'Saturn', 'Uranus', 'Neptune']],
  [/\bdays of (?:the|a) week\b/i, ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']],
  [/\bcolou?rs of (?:the|a) rainbow\b/i, ['red', 'orange', 'yellow', 'green', 'blue', 'indigo', 'violet']],
  [/\bcontinents\b/i, ['Africa', 'Antarctica', 'Asia', 'Europe', 'North America', 'Oceania', 'South America']],
  [/\bmonths\b/i, 'January February March April May June July August September October November December'.split(' ')],
];

export const knownLists: Skill = ({ said }) => {
  if (!/\b(?:list|name|recite|say|tell|give|what are|which are|show|sing)\b/i.test(said)) return undefined;
  const found = lists.find(([pattern]) => pattern.test(said));
  return found && { text: found[1].map((item, index) => `${index + 1}. ${item}`).join('\n') };
};
