// One process' share of the seeds.

import { plant, plantedBugs } from './plant.ts';
import type { Share } from './run-seeds.ts';

const share = JSON.parse(String(process.argv[2])) as Share;
// Errors are part of the day's work here, and a stack costs more than the rest of one; main.ts shows them.
Error.stackTraceLimit = 0;
const bug = share.bug === undefined ? undefined : plantedBugs.find(({ name }) => name === share.bug);
if (bug) plant(bug);
// After the bug: what it changes is read when it is loaded.
const { runSeeds } = await import('./run-seeds.ts');
const { parts } = await import('./parts.ts');
const tally = await runSeeds(bug?.spoil?.(parts) ?? parts, share);
if (bug) bug.check();
process.send?.(tally);
