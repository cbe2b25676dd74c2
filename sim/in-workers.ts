// Shares seeds out to threads and puts together what they found.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Coverage } from '@haip/testing/simulator';
import type { Share, Tally } from './run-seeds.ts';

/** As many threads as there are cores. */
export const cores = availableParallelism();

export function inWorker(share: Share): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: share,
      execArgv: ['--conditions=@haip/source', '--no-warnings'],
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code} and no answer`)));
  });
}

/** Seeds `from` … `from + count − 1`, dealt to the workers in turn. */
export async function inWorkers(share: Omit<Share, 'step'>, workers = cores): Promise<Tally> {
  const shares = Array.from({ length: workers }, (_, at) =>
    inWorker({ ...share, from: share.from + at, count: share.count - at, step: workers }),
  );
  const coverage = new Coverage();
  const sum: Tally = { seeds: 0, entries: 0, events: 0, lastedMs: 0, healedMs: 0, found: [], coverage: [] };
  for (const tally of await Promise.all(shares)) {
    sum.seeds += tally.seeds;
    sum.entries += tally.entries;
    sum.events += tally.events;
    sum.lastedMs += tally.lastedMs;
    sum.healedMs = Math.max(sum.healedMs, tally.healedMs);
    sum.found.push(...tally.found);
    coverage.add(tally.coverage);
  }
  sum.found.sort((a, b) => a.seed - b.seed);
  sum.coverage = coverage.cells();
  return sum;
}
