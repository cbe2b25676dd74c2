// HAIP's own server, client and store under the simulator: the seeds of every test run, and the proof that it finds bugs.

import { simulate } from '@haip/testing/simulator';
import { describe, expect, test } from 'vitest';
import { inWorker, inWorkers } from '../in-workers.ts';
import { parts } from '../parts.ts';
import { isPlantable, plantedBugs } from '../plant.ts';

describe('the simulator', () => {
  test('every invariant holds over 20,000 seeds', { timeout: 300_000 }, async () => {
    const { seeds, entries, found } = await inWorkers({ from: 1, count: 20_000 });
    expect(found.map(({ seed, invariant, what }) => `seed ${seed}: ${invariant}: ${what}`)).toEqual([]);
    expect(seeds).toBe(20_000);
    expect(entries).toBeGreaterThan(2_000_000);
  });

  test('a seed does the same each time, in whatever company', async () => {
    const alone = await simulate({ seed: 1036, parts });
    await simulate({ seed: 1037, parts });
    const again = await simulate({ seed: 1036, parts, trace: true });
    expect([again.hash, again.events, again.entries]).toEqual([alone.hash, alone.events, alone.entries]);
    expect((await simulate({ seed: 1037, parts })).hash).not.toBe(alone.hash);
  });
});

describe('a planted bug', () => {
  test.each(plantedBugs)('$name: its snippets are in the sources', (bug) => {
    expect(isPlantable(bug)).toBe(true);
  });

  test.each(plantedBugs)('$name is caught', { timeout: 60_000 }, async ({ name, seed }) => {
    const { found } = await inWorker({ from: seed, count: 1, step: 1, bug: name });
    expect(found.length).toBe(1);
  });
});
