// Shares seeds out to processes and puts together what they found. Not to threads: Node may crash while one thread ends
// and another begins (nodejs/node#56312), and here dozens do.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Coverage } from '@haip/testing/simulator';
import type { Share, Tally } from './run-seeds.ts';

/** As many processes as there are cores. */
export const cores = availableParallelism();

export async function inWorker(share: Share): Promise<Tally> {
  const worker = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(share)], {
    execArgv: ['--conditions=@haip/source', '--no-warnings'],
    serialization: 'advanced',
  });
  let answer: Tally | undefined;
  worker.once('message', (tally) => {
    answer = tally as Tally;
  });
  // Its end may be seen before its last word, which comes before the channel is closed.
  const [[code, signal]] = await Promise.all([once(worker, 'exit'), once(worker, 'disconnect')]);
  if (answer === undefined) throw new Error(`the worker ended with ${code ?? signal} and no answer`);
  return answer;
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
