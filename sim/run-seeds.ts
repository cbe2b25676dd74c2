// Runs seeds one after another, and says what came of them. With a bug to plant, plants it before the parts are loaded.

import type { SimulatedParts } from '@haip/testing/simulator';
import { Coverage, simulate } from '@haip/testing/simulator';

export interface Share {
  readonly from: number;
  readonly count: number;
  /** Every so many seeds are this share's: 2 for one of two workers. */
  readonly step: number;
  /** Stop after so many ms. */
  readonly withinMs?: number | undefined;
  /** Stop at the first violation. */
  readonly untilFirst?: boolean | undefined;
  /** The name of a planted bug. */
  readonly bug?: string | undefined;
}

interface Found {
  readonly seed: number;
  readonly invariant: string;
  readonly what: string;
  readonly trace: readonly string[];
}

export interface Tally {
  seeds: number;
  entries: number;
  events: number;
  /** Virtual time of all together. */
  lastedMs: number;
  healedMs: number;
  found: Found[];
  coverage: [string, number][];
}

export async function runSeeds(parts: SimulatedParts, share: Share): Promise<Tally> {
  const coverage = new Coverage();
  const tally: Tally = { seeds: 0, entries: 0, events: 0, lastedMs: 0, healedMs: 0, found: [], coverage: [] };
  const since = performance.now();
  for (let at = 0; at < share.count; at += share.step) {
    if (share.withinMs !== undefined && performance.now() - since > share.withinMs) break;
    const seed = share.from + at;
    const report = await simulate({ seed, parts, coverage });
    tally.seeds++;
    tally.entries += report.entries;
    tally.events += report.events;
    tally.lastedMs += report.lastedMs;
    tally.healedMs = Math.max(tally.healedMs, report.healedMs);
    const [first] = report.violations;
    if (first === undefined) continue;
    const again = await simulate({ seed, parts, trace: true });
    tally.found.push({ seed, invariant: first.invariant, what: first.what, trace: again.trace?.slice(-40) ?? [] });
    if (share.untilFirst || tally.found.length >= 20) break;
  }
  tally.coverage = coverage.cells();
  return tally;
}
