// What a seed decides before anything happens: who is there, how large the window is, and what may go wrong.

import { Chance } from './chance.ts';
import { type FaultName, faultNames, httpFaults, nodeFaults } from './faults.ts';
import type { WordWeather } from './words.ts';

export interface Scenario {
  readonly seed: number;
  /** No fault at all: nothing may be tried twice, nothing may be missing. */
  readonly calm: boolean;
  readonly faults: ReadonlySet<FaultName>;
  /** Whether clients connect over HTTP, if there are transports for that. */
  readonly overHttp: boolean;
  /** How often a client is moved to another transport. */
  readonly moves: number;
  readonly apps: number;
  readonly nodes: number;
  readonly actions: number;
  readonly chaosMs: number;
  readonly windowSize: number;
  readonly windowTimeMs: number;
  /** How often the store answers late when nothing is wrong with it. */
  readonly storeLate: number;
  /** What becomes of a word between nodes when nothing is wrong. */
  readonly words: WordWeather;
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
  const everywhere = faultNames.filter((name) => !httpFaults.includes(name) && !nodeFaults.includes(name));
  const faults = new Set(calm ? [] : everywhere.filter(() => chance.happens(likelihood)));
  if (!calm && faults.size === 0) faults.add(chance.pick(everywhere));
  // Drawn apart: the rest of a scenario is the same whatever it runs over.
  const transports = new Chance(seed, 'transports');
  const overHttp = transports.happens(1 / 3);
  if (!calm && overHttp) for (const name of httpFaults) if (transports.happens(0.5)) faults.add(name);
  const many = new Chance(seed, 'nodes');
  if (!calm) for (const name of nodeFaults) if (many.happens(0.3)) faults.add(name);
  const more = overHttp && many.happens(0.5) ? many.pick([2, 2, 3]) : 1;
  const wordsLost = calm ? 0 : many.pick([0, 0, 0.1]);
  const wordsLateMs = calm ? 40 : many.pick([40, 40, 1_500]);
  const highestLatencyMs = chance.pick([1, 20, 200]);
  const trims = !calm && chance.happens(0.4);
  return {
    seed,
    calm,
    faults,
    overHttp,
    moves: transports.happens(overHttp ? 0.6 : 0.15) ? transports.pick([1, 3, 10]) : 0,
    apps: chance.between(1, 3),
    nodes: Math.max(chance.happens(0.3) ? 2 : 1, more),
    actions: chance.between(4, 12),
    chaosMs: chance.between(2_000, 20_000),
    windowSize: trims ? chance.between(8, 15) : 10_000,
    windowTimeMs: trims && chance.happens(0.3) ? chance.between(2_000, 10_000) : 3_600_000,
    storeLate: chance.pick([0, 0, 0.5, 1]),
    words: { wordsLost, wordsLateMs },
    lowestLatencyMs: chance.pick([0, 1]),
    highestLatencyMs,
    highWaterBytes: calm ? 1_048_576 : chance.pick([512, 4_096, 65_536]),
    binary: chance.happens(0.8),
    windowMessages: chance.pick([2, 8, 1_024]),
    credits: chance.happens(0.25) ? chance.pick(calm ? [1_000] : [3, 20, 1_000]) : undefined,
    maxJoined: chance.happens(0.2) && !faults.has('store loss') ? 3 : 100,
  };
}
