// One thread's share of the seeds.

import { parentPort, workerData } from 'node:worker_threads';
import { plant, plantedBugs } from './plant.ts';
import type { Share } from './run-seeds.ts';

const share = workerData as Share;
// Errors are part of the day's work here, and a stack costs more than the rest of one; main.ts shows them.
Error.stackTraceLimit = 0;
const bug = share.bug === undefined ? undefined : plantedBugs.find(({ name }) => name === share.bug);
if (bug) plant(bug);
// After the bug: what it changes is read when it is loaded.
const { runSeeds } = await import('./run-seeds.ts');
const { parts } = await import('./parts.ts');
const tally = await runSeeds(bug?.spoil?.(parts) ?? parts, share);
if (bug) bug.check();
parentPort?.postMessage(tally);
