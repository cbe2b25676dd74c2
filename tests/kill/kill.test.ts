import { expect, test } from 'vitest';
import { killRun } from './kill-run.ts';
import { expectNothingLost } from './nothing-lost.ts';

test('over a store that keeps nothing the same run finds that', async () => {
  const { faults } = await killRun('memory', 2, 1);
  expect(faults.length).toBeGreaterThan(0);
});

test(
  'F21, F23: over sqlite a server killed 50 times in mid-answer loses, repeats and leaves open nothing',
  {
    timeout: 600_000,
  },
  () => expectNothingLost('sqlite'),
);
