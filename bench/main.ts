// `pnpm bench`: our server beside bare ones of the same kind, in one run, round by round in turn, so that the machine's
// moods hit both. Prints ratios with their spread, rates, server CPU and bytes; also as JSON.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Contender, Contenders, readCollected, readCost } from './contenders.ts';
import { limitsAsRun } from './limits-as-run.ts';
import { type Measurement, type Row, rows } from './rows.ts';
import { type Pair, printTable, type Summary, summarize } from './table.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '1500' },
    most: { type: 'string', default: '100000' },
    only: { type: 'string' },
    batched: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

const contenders = new Contenders();

/** One scenario against one server: what was done, and what it cost the server. */
async function measure(contender: Contender, row: Row, measureMs: number): Promise<Measurement> {
  const { scenario, transport, fresh } = row;
  const route = { transport, port: contender.port, pipelined: contender.isBare && !options.batched };
  const order = { scenario, route, measureMs, most: Number(options.most) };
  const { result, before, after } = await contenders.run(contender, order, fresh ? readCollected : readCost);
  const { units, ms, received, sent, latency } = result;
  return {
    perSecond: (units / ms) * 1000,
    cpuMsPer100k: ((after.cpuMicros - before.cpuMicros) / 1000 / units) * 100_000,
    memoryBytes: (after.memoryBytes - before.memoryBytes) / units,
    receivedBytes: received / units,
    sentBytes: sent / units,
    latency,
  };
}

async function measureBoth(row: Row, ms: number): Promise<Pair> {
  if (!row.fresh) return { bare: await measure(bare, row, ms), haip: await measure(haip, row, ms) };
  // Memory that a process has had once it keeps, so what a session takes shows only in a new one.
  const [newBare, newHaip] = [await contenders.start('bare'), await contenders.start('haip')];
  const pair = { bare: await measure(newBare, row, ms), haip: await measure(newHaip, row, ms) };
  contenders.end(newBare, newHaip);
  return pair;
}

const wanted = options.only?.split(',');
const isWanted = ({ scenario, transport }: Row): boolean =>
  wanted?.some((word) => [scenario, transport, `${transport}:${scenario}`].includes(word)) ?? true;
const bare = await contenders.start('bare');
const haip = await contenders.start('haip');
const limits = await limitsAsRun(haip.port);

const results: Summary[] = [];
for (const row of rows.filter(isWanted)) {
  const pairs: Pair[] = [];
  // More code takes longer to be compiled: a short warm-up would measure the compiler.
  if (!row.fresh) await measureBoth(row, 2 * Number(options.ms));
  while (pairs.length < Number(options.rounds)) pairs.push(await measureBoth(row, Number(options.ms)));
  // A whole run takes minutes.
  console.error(`measured ${row.transport}:${row.scenario}`);
  results.push(...row.figures.map((figure) => summarize(row.transport, figure, pairs)));
}

console.log(
  `Node ${process.version}, ${options.rounds} rounds of ${options.ms} ms each, server and load on ${contenders.pins ? 'a core each' : 'shared cores'}.`,
);
console.log(`Limits as run: ${limits}; history in memory, 1,000 messages a transaction; no rates on loopback.\n`);
printTable(results);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
contenders.endAll();
