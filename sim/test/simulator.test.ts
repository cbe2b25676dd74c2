// HAIP's own server, client and store under the simulator: the seeds of every test run, and the proof that it finds bugs.

import { simulate } from '@haip/testing/simulator';
import { describe, expect, test } from 'vitest';
import { inWorker, inWorkers } from '../in-workers.ts';
import { parts } from '../parts.ts';
import { isPlantable, plantedBugs } from '../plant.ts';

describe('the simulator', () => {
  test('I1, I2, I3, I4, I5, I6, I7, I8, I9, I10, I11, I12, I13, I14, I15, I16, I17, I18, I19, I20, I21 and F34: hold over 20,000 seeds', {
    timeout: 1_800_000,
  }, async () => {
    const { seeds, entries, found } = await inWorkers({ from: 1, count: 20_000 });
    expect(found.map(({ seed, invariant, what }) => `seed ${seed}: ${invariant}: ${what}`)).toEqual([]);
    expect(seeds).toBe(20_000);
    expect(entries).toBeGreaterThan(1_400_000);
  });

  test.each([
    ['a link that keeps order', 1036, false],
    ['HTTP', 1041, true],
  ])('a seed over %s does the same each time, in whatever company', async (_, seed, posts) => {
    const alone = await simulate({ seed, parts });
    await simulate({ seed: seed + 1, parts });
    const again = await simulate({ seed, parts, trace: true });
    expect([again.hash, again.events, again.entries]).toEqual([alone.hash, alone.events, alone.entries]);
    expect((await simulate({ seed: seed + 1, parts })).hash).not.toBe(alone.hash);
    expect(again.trace?.some((line) => line.includes('POST answered'))).toBe(posts);
  });
});

describe('a planted bug', () => {
  test.each(plantedBugs)('$name: its snippets are in the sources', (bug) => {
    expect(isPlantable(bug)).toBe(true);
  });

  // From the seed that last caught it: whoever changes a core may move that, but not beyond 20,000.
  const measured = plantedBugs.filter(({ seed }) => seed !== undefined);
  test('at least 25 of them have a seed that catches them', () => {
    expect(measured.length).toBeGreaterThanOrEqual(25);
  });

  test.each(measured)('$name is caught', { timeout: 1_800_000 }, async ({ name, seed = 1 }) => {
    const { found } = await inWorker({ from: seed, count: 20_000, step: 1, untilFirst: true, bug: name });
    expect(found.length).toBe(1);
  });
});
