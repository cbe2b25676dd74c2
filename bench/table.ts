// Measurements of pairs, summed up as ratios with their spread, and printed.

import type { Figure, Measurement } from './rows.ts';

/** One round: both servers, one after the other. */
export interface Pair {
  readonly bare: Measurement;
  readonly haip: Measurement;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Summary {
  readonly transport: string;
  readonly title: string;
  readonly unit: string;
  readonly must: number;
  readonly aim: number;
  readonly met: 'aim' | 'must' | 'no';
  /** Ours in proportion to the bare server's. */
  readonly ratio: Spread;
  /** The bare server's CPU for each unit in proportion to ours: 1 is as fast, 2 twice as fast. */
  readonly cpuRatio: Spread;
  readonly bare: { readonly value: number } & Measurement;
  readonly haip: { readonly value: number } & Measurement;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

export function summarize(transport: string, figure: Figure, pairs: readonly Pair[]): Summary {
  const { title, unit, of, must, aim, lowerIsBetter } = figure;
  const ratio = spread(pairs.map(({ bare, haip }) => of(haip) / of(bare)));
  const reaches = (goal: number): boolean => (lowerIsBetter ? ratio.median <= goal : ratio.median >= goal);
  const middle = (pick: (measurement: Measurement) => number, who: keyof Pair): number =>
    spread(pairs.map((pair) => pick(pair[who]))).median;
  const middles = (who: keyof Pair): Summary['bare'] => ({
    value: middle(of, who),
    perSecond: middle((m) => m.perSecond, who),
    cpuMsPer100k: middle((m) => m.cpuMsPer100k, who),
    memoryBytes: middle((m) => m.memoryBytes, who),
    receivedBytes: middle((m) => m.receivedBytes, who),
    sentBytes: middle((m) => m.sentBytes, who),
  });
  return {
    transport,
    title,
    unit,
    must,
    aim,
    met: reaches(aim) ? 'aim' : reaches(must) ? 'must' : 'no',
    ratio,
    cpuRatio: spread(pairs.map(({ bare, haip }) => bare.cpuMsPer100k / haip.cpuMsPer100k)),
    bare: middles('bare'),
    haip: middles('haip'),
  };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const two = (value: number): string => value.toFixed(2);
const shown = ({ median, min, max }: Spread): string => `${two(median)} (${two(min)}–${two(max)})`;

const columns: readonly (readonly [head: string, cell: (summary: Summary) => string])[] = [
  ['', ({ transport, title }) => `${transport}: ${title}`],
  ['ratio (spread)', ({ ratio }) => shown(ratio)],
  ['must', ({ must }) => two(must)],
  ['aim', ({ aim }) => two(aim)],
  ['met', ({ met }) => met],
  ['ours', ({ haip }) => whole(haip.value)],
  ['bare', ({ bare }) => whole(bare.value)],
  ['unit', ({ unit }) => unit],
  ['CPU ratio (spread)', ({ cpuRatio }) => shown(cpuRatio)],
  ['CPU ms for 100,000, ours', ({ haip }) => haip.cpuMsPer100k.toFixed(0)],
  ['bare', ({ bare }) => bare.cpuMsPer100k.toFixed(0)],
  ['bytes down ours', ({ haip }) => whole(haip.receivedBytes)],
  ['bare', ({ bare }) => whole(bare.receivedBytes)],
  ['up ours', ({ haip }) => whole(haip.sentBytes)],
  ['bare', ({ bare }) => whole(bare.sentBytes)],
];

export function printTable(summaries: readonly Summary[]): void {
  const lines = [
    columns.map(([head]) => head),
    ...summaries.map((summary) => columns.map(([, cell]) => cell(summary))),
  ];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
  for (const line of lines) {
    const cells = line.map((cell, column) => {
      const width = widths[column] as number;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(cells.join('  '));
  }
}
