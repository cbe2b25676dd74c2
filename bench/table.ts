// Measurements of pairs, summed up as ratios with their spread, and printed.

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly must: number;
  readonly aim: number;
  readonly unit: string;
  readonly lowerIsBetter?: boolean;
}

export interface Measurement {
  readonly value: number;
  readonly cpuMsPer100k: number;
}

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

export interface Summary extends Row {
  readonly ratio: Spread;
  readonly cpuRatio: Spread;
  readonly bare: Measurement;
  readonly haip: Measurement;
  readonly met: 'aim' | 'must' | 'no';
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

export function summarize(row: Row, pairs: readonly Pair[]): Summary {
  const middle = (pick: (pair: Pair) => number): number => spread(pairs.map(pick)).median;
  const ratio = spread(pairs.map((pair) => pair.haip.value / pair.bare.value));
  const reaches = (goal: number): boolean => (row.lowerIsBetter ? ratio.median <= goal : ratio.median >= goal);
  return {
    ...row,
    ratio,
    cpuRatio: spread(pairs.map((pair) => pair.haip.cpuMsPer100k / pair.bare.cpuMsPer100k)),
    bare: { value: middle(({ bare }) => bare.value), cpuMsPer100k: middle(({ bare }) => bare.cpuMsPer100k) },
    haip: { value: middle(({ haip }) => haip.value), cpuMsPer100k: middle(({ haip }) => haip.cpuMsPer100k) },
    met: reaches(row.aim) ? 'aim' : reaches(row.must) ? 'must' : 'no',
  };
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

export function printTable(summaries: readonly Summary[]): void {
  const head = ['', 'ratio', 'spread', 'must', 'aim', 'met', 'ours', 'bare', 'unit', 'CPU ms/100k ours', 'bare'];
  const lines = summaries.map(({ title, ratio, must, aim, met, haip, bare, unit, name }) => [
    title,
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
    must.toFixed(2),
    aim.toFixed(2),
    met,
    whole(haip.value),
    whole(bare.value),
    unit,
    name === 'idle' ? '' : whole(haip.cpuMsPer100k),
    name === 'idle' ? '' : whole(bare.cpuMsPer100k),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  );
  for (const line of [head, ...lines]) {
    console.log(
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  }
}
