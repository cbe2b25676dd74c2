// `pnpm sim`: runs seeds over HAIP's own parts and ends with one line of counts; fails when an invariant did not hold.
//
// --seeds 20000  --from 1  --workers 2     so many seeds
// --time 600                               for so many seconds instead
// --long                                   10 million entries, and every cell of the coverage met often enough
// --coverage                               prints what was met
// --seed 7 --trace                         one seed, line by line
// --planted                                how many seeds until each planted bug is caught
// --bug 'no dedup'                         the same of one, or of several

import { parseArgs } from 'node:util';
import { simulate } from '@haip/testing/simulator';
import { coverageTable, missing } from './coverage-table.ts';
import { cores, inWorker, inWorkers } from './in-workers.ts';
import { parts } from './parts.ts';
import { plantedBugs } from './plant.ts';
import type { Tally } from './run-seeds.ts';

const LONG_ENTRIES = 10_000_000;
const BLOCK = 20_000;
/** What is not met by then is not going to be. */
const MOST_SEEDS = 250_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(cores) },
    time: { type: 'string' },
    long: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    bug: { type: 'string', multiple: true },
  },
});
const workers = Number(values.workers);
const from = Number(values.from);

function add(sum: Tally, more: Tally): Tally {
  const counts = new Map(sum.coverage);
  for (const [cell, times] of more.coverage) counts.set(cell, (counts.get(cell) ?? 0) + times);
  return {
    seeds: sum.seeds + more.seeds,
    entries: sum.entries + more.entries,
    events: sum.events + more.events,
    lastedMs: sum.lastedMs + more.lastedMs,
    healedMs: Math.max(sum.healedMs, more.healedMs),
    found: [...sum.found, ...more.found],
    coverage: [...counts],
  };
}

function isEnough({ entries, coverage, seeds }: Tally): boolean {
  return (entries >= LONG_ENTRIES && missing(coverage).length === 0) || seeds >= MOST_SEEDS;
}

/** Block after block until there were enough entries, and every cell was met often enough. */
async function runLong(): Promise<Tally> {
  let sum = await inWorkers({ from, count: BLOCK }, workers);
  for (let at = from + BLOCK; !isEnough(sum) && sum.found.length === 0; at += BLOCK) {
    sum = add(sum, await inWorkers({ from: at, count: BLOCK }, workers));
    console.log(`${sum.seeds} seeds, ${sum.entries} entries …`);
  }
  return sum;
}

async function runMany(): Promise<void> {
  const since = performance.now();
  const withinMs = values.time === undefined ? undefined : Number(values.time) * 1000;
  const count = withinMs === undefined ? Number(values.seeds) : 1e9;
  const tally = values.long ? await runLong() : await inWorkers({ from, count, withinMs }, workers);
  for (const { seed, invariant, what, trace } of tally.found.slice(0, 5)) {
    console.log(`${trace.join('\n')}\n\nseed ${seed} violates invariant ${invariant}: ${what}\n`);
  }
  const empty = values.long ? missing(tally.coverage) : [];
  if (values.long || values.coverage) console.log(coverageTable(tally.coverage));
  for (const cell of empty) console.log(`met too seldom: ${cell}`);
  const seconds = (performance.now() - since) / 1000;
  const rates = `${Math.round(tally.seeds / seconds)} seeds/s, ${Math.round(tally.entries / seconds)} entries/s`;
  const counts = `${tally.seeds} seeds, ${tally.entries} entries, ${tally.events} events in ${Math.round(seconds)} s`;
  const hours = `${Math.round(tally.lastedMs / 3_600_000)} virtual hours`;
  const ending = `${hours}; at rest within ${tally.healedMs / 1000} s; ${tally.found.length} violations`;
  console.log(`${counts} (${rates}, ${workers} workers); ${ending}`);
  if (tally.found.length > 0 || empty.length > 0) process.exitCode = 1;
}

async function runOne(seed: number): Promise<void> {
  const report = await simulate({ seed, parts, trace: values.trace });
  if (report.trace) console.log(report.trace.join('\n'));
  for (const { invariant, what, at } of report.violations) {
    console.log(`seed ${seed} violates invariant ${invariant} at ${at / 1000} s: ${what}`);
  }
  console.log(`seed ${seed}: ${report.entries} entries, ${report.events} events, trace ${report.hash}`);
  if (report.violations.length > 0) process.exitCode = 1;
}

/** Each bug until it is caught, `workers` of them at once. */
async function measurePlanted(): Promise<void> {
  const queue = plantedBugs.filter(({ name }) => values.bug?.includes(name) ?? true);
  const next = async (): Promise<void> => {
    for (let bug = queue.shift(); bug !== undefined; bug = queue.shift()) {
      const { seeds, found } = await inWorker({ from, count: 20_000, step: 1, untilFirst: true, bug: bug.name });
      const [first] = found;
      console.log(first ? `${seeds}\t${bug.name}\tseed ${first.seed}: ${first.invariant}` : `never\t${bug.name}`);
      if (first === undefined) process.exitCode = 1;
    }
  };
  await Promise.all(Array.from({ length: workers }, next));
}

if (values.planted || values.bug) await measurePlanted();
else if (values.seed !== undefined) await runOne(Number(values.seed));
else await runMany();
