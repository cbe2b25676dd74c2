// What a seed decides before anything happens: who is there, how large the window is, and what may go wrong.

import { Chance } from './chance.ts';
import { type FaultName, faultNames } from './faults.ts';

export interface Scenario {
  readonly seed: number;
  /** No fault at all: nothing may be tried twice, nothing may be missing. */
  readonly calm: boolean;
  readonly faults: ReadonlySet<FaultName>;
  readonly apps: number;
  readonly nodes: number;
  readonly actions: number;
  readonly chaosMs: number;
  readonly windowSize: number;
  readonly windowTimeMs: number;
  /** How often the store answers late when nothing is wrong with it. */
  readonly storeLate: number;
  readonly lowestLatencyMs: number;
  readonly highestLatencyMs: number;
  readonly highWaterBytes: number;
  readonly binary: boolean;
  readonly maxJoined: number;
  /** Frames that a client, and the server, may be sent before they allow more. */
  readonly windowMessages: number;
  /** What each account begins with; undefined: nothing costs anything. */
  readonly credits: number | undefined;
}

export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(seed, 'scenario');
  const calm = seed % 10 === 0;
  const likelihood = chance.pick([0.1, 0.25, 0.5]);
  const faults = new Set(calm ? [] : faultNames.filter(() => chance.happens(likelihood)));
  if (!calm && faults.size === 0) faults.add(chance.pick(faultNames));
  const highestLatencyMs = chance.pick([1, 20, 200]);
  const trims = !calm && chance.happens(0.4);
  return {
    seed,
    calm,
    faults,
    apps: chance.between(1, 3),
    nodes: chance.happens(0.3) ? 2 : 1,
    actions: chance.between(4, 12),
    chaosMs: chance.between(2_000, 20_000),
    windowSize: trims ? chance.between(8, 15) : 10_000,
    windowTimeMs: trims && chance.happens(0.3) ? chance.between(2_000, 10_000) : 3_600_000,
    storeLate: chance.pick([0, 0, 0.5, 1]),
    lowestLatencyMs: chance.pick([0, 1]),
    highestLatencyMs,
    highWaterBytes: calm ? 1_048_576 : chance.pick([512, 4_096, 65_536]),
    binary: chance.happens(0.8),
    windowMessages: chance.pick([2, 8, 1_024]),
    credits: chance.happens(0.25) ? chance.pick(calm ? [1_000] : [3, 20, 1_000]) : undefined,
    maxJoined: chance.happens(0.2) && !faults.has('store loss') ? 3 : 100,
  };
}
