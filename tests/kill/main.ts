// `pnpm kill --store sqlite --kills 500 --seed 7`: kill -9 of a server that streams, over each durable store. `--long` is
// 500 kills each. A line for each store; ends with 1 when something was lost, repeated or left open.

import { parseArgs } from 'node:util';
import { durableStores, type StoreName } from '../durable-stores.ts';
import { killLine, killRun } from './kill-run.ts';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    store: { type: 'string', multiple: true },
    kills: { type: 'string' },
    seed: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
  },
});

const all = Object.keys(durableStores) as StoreName[];
const kills = Number(values.kills ?? (values.long ? 500 : 50));
for (const store of all.filter((name) => values.store?.includes(name) ?? true)) {
  const report = await killRun(store, kills, Number(values.seed));
  console.log(killLine(report));
  for (const fault of report.faults.slice(0, 20)) console.log(`  ${fault}`);
  if (report.faults.length > 0) process.exitCode = 1;
}
