import { expect, test } from 'vitest';
import { killRun } from './kill-run.ts';
import { killedStores, type StoreName } from './stores.ts';

test('over a store that keeps nothing the same run finds that', async () => {
  const { faults } = await killRun('memory', 2, 1);
  expect(faults.length).toBeGreaterThan(0);
});

test.each(Object.keys(killedStores) as StoreName[])(
  'F21, F23: over %s a server killed 50 times in mid-answer loses, repeats and leaves open nothing',
  {
    timeout: 600_000,
  },
  async (store) => {
    const { faults, settled, parts } = await killRun(store, 50, 1);
    expect(faults).toEqual([]);
    expect(settled).toBe(150);
    expect(parts).toBeGreaterThan(1000);
  },
);
