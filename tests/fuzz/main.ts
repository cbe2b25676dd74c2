// `pnpm fuzz --cases 200000 --seed 7 --time 60`: fuzzes the codec and a live server, in memory and over WebSocket. One
// line each; ends with 1 when a promise was broken, and says by which input. `--time` is seconds in all.

import { parseArgs } from 'node:util';
import { type FuzzReport, fuzzCodec, fuzzLine, fuzzServer } from '@haip/testing/fuzz';
import { serverInMemory, serverOverWebSocket } from './fuzzed-servers.ts';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: { cases: { type: 'string' }, seed: { type: 'string' }, time: { type: 'string' } },
});

const cases = Number(values.cases ?? 20_000);
const seed = Number(values.seed ?? 1);
const timeMs = values.time === undefined ? undefined : (Number(values.time) * 1000) / 3;

function tell(name: string, report: FuzzReport): void {
  console.log(fuzzLine(name, report));
  for (const { rule, case: number, told, input } of report.violations.slice(0, 20)) {
    console.log(`  case ${number}: ${rule}: ${told}\n    ${input}`);
  }
  if (report.violations.length > 0) process.exitCode = 1;
}

const live = { tool: 'echo', cases: Math.ceil(cases / 20), seed, timeMs };
tell('codec', fuzzCodec({ cases, seed, timeMs }));
const memory = serverInMemory();
tell('server in memory', await fuzzServer({ ...live, dial: memory.dial }));
await memory.close();
const webSocket = await serverOverWebSocket();
// A text of 300 kB in pieces of 100 bytes is slow on any link: here the reaction counts.
tell('server over WebSocket', await fuzzServer({ ...live, dial: webSocket.dial, maxCaseMs: 5_000 }));
await webSocket.close();
