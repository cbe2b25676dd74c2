import { expect } from 'vitest';
import type { StoreName } from '../durable-stores.ts';
import { killRun } from './kill-run.ts';

/** Kills a server over that store 50 times. `pnpm kill --long` does it 500 times. */
export async function expectNothingLost(store: StoreName): Promise<void> {
  const { faults, settled, parts } = await killRun(store, 50, 1);
  expect(faults).toEqual([]);
  expect(settled).toBe(150);
  expect(parts).toBeGreaterThan(1000);
}
