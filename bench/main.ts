// `pnpm bench`: our server beside a bare ws server that answers the same envelopes, in one run, round by round in turn,
// so that the machine's moods hit both. Prints ratios with their spread, rates, and server CPU; also as JSON.
//
// Options: --rounds N (default 7), --ms N (measured time of a round, default 1500), --only NAME[,NAME], --json FILE.

import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Measurement, type Pair, printTable, type Row, summarize } from './table.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '1500' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});

const rows: readonly Row[] = [
  { name: 'echo-32', title: 'echo, 50 connections × 32 in flight', must: 1.0, aim: 2.0, unit: 'messages/s' },
  { name: 'echo-1', title: 'echo, 50 × 1 in flight', must: 0.8, aim: 1.0, unit: 'messages/s' },
  { name: 'tokens', title: 'one token per stream per turn, 100 streams', must: 0.65, aim: 1.0, unit: 'tokens/s' },
  { name: 'fan-out', title: 'fan-out, 1 sender, 1,000 readers', must: 0.6, aim: 0.9, unit: 'deliveries/s' },
  { name: 'idle', title: 'memory per idle session', must: 1.5, aim: 1.0, unit: 'bytes', lowerIsBetter: true },
  { name: 'handshakes', title: 'handshakes', must: 0.5, aim: 0.8, unit: 'handshakes/s' },
];

const pins = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

/** A child on a core of its own, where the system can do that. */
function start(file: string, core: number): ChildProcess {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--expose-gc', '--conditions=@haip/source'],
  });
  if (pins) spawnSync('taskset', ['-a', '-p', '-c', String(core), String(child.pid)]);
  child.once('exit', (code) => {
    if (code) process.exit(code);
  });
  return child;
}

// biome-ignore lint/suspicious/noExplicitAny: what a child says has the shape its file gives it
function reply(child: ChildProcess, message?: unknown): Promise<any> {
  return new Promise((resolve) => {
    child.once('message', resolve);
    if (message !== undefined) child.send(message as object);
  });
}

interface Contender {
  readonly process: ChildProcess;
  readonly port: number;
}

async function contender(file: string): Promise<Contender> {
  const child = start(file, 0);
  const { port } = await reply(child);
  return { process: child, port };
}

/** One scenario against one server: what was done, and what it cost the server. */
async function measure(load: ChildProcess, { process: server, port }: Contender, row: Row): Promise<Measurement> {
  const question = row.name === 'idle' ? 'collect' : 'cost';
  const costs: { cpuMicros: number; memoryBytes: number }[] = [];
  let said = await reply(load, { scenario: row.name, port, measureMs: Number(options.ms) });
  while (said.result === undefined) {
    costs.push(await reply(server, question));
    said = await reply(load, 'go on');
  }
  const { units, ms } = said.result as { units: number; ms: number };
  const [before, after] = costs as [(typeof costs)[0], (typeof costs)[0]];
  const value = row.name === 'idle' ? (after.memoryBytes - before.memoryBytes) / units : (units / ms) * 1000;
  return { value, cpuMsPer100k: ((after.cpuMicros - before.cpuMicros) / 1000 / units) * 100_000 };
}

async function measureBoth(row: Row, bare: Contender, haip: Contender): Promise<Pair> {
  return { bare: await measure(load, bare, row), haip: await measure(load, haip, row) };
}

/** Memory that a process has had once it keeps, so what a session takes shows only in a new one. */
async function measureFresh(row: Row): Promise<Pair> {
  const fresh = [await contender('./servers/bare.ts'), await contender('./servers/haip.ts')] as const;
  const pair = await measureBoth(row, ...fresh);
  for (const { process: server } of fresh) server.send('end');
  return pair;
}

const wanted = options.only?.split(',');
const chosen = rows.filter(({ name }) => wanted === undefined || wanted.includes(name));
const load = start('./load/main.ts', 1);
const bare = await contender('./servers/bare.ts');
const haip = await contender('./servers/haip.ts');

const results = [];
for (const row of chosen) {
  const pairs: Pair[] = [];
  // The first round only warms both up.
  for (let round = 0; round <= Number(options.rounds); round++) {
    const pair = await (row.name === 'idle' ? measureFresh(row) : measureBoth(row, bare, haip));
    if (round > 0) pairs.push(pair);
  }
  results.push(summarize(row, pairs));
}

console.log(
  `Node ${process.version}, ${options.rounds} rounds of ${options.ms} ms each, server and load on ${pins ? 'a core each' : 'shared cores'}.`,
);
console.log(
  'Limits as run: the defaults (window 1,000 messages and 1 h, memory history, no rate limit, compression off).\n',
);
printTable(results);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
for (const { process: server } of [bare, haip]) server.send('end');
load.kill();
