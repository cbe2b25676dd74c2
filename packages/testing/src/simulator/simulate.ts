// One simulation: a seed, the parts under test, and what was found. Chaos, then heal, then quiet, then nobody.

import type { App } from './app.ts';
import type { Violation } from './checker/verdicts.ts';
import { Coverage } from './coverage.ts';
import type { SimulatedParts } from './parts.ts';
import { scenarioOf } from './scenario.ts';
import { Simulation } from './simulation.ts';

export interface SimulateOptions {
  readonly seed: number;
  readonly parts: SimulatedParts;
  /** Keep the trace as lines. Default: only its hash. */
  readonly trace?: boolean | undefined;
  /** Where to count what was met. Default: nowhere that outlives the call. */
  readonly coverage?: Coverage | undefined;
}

export interface SimulationReport {
  readonly seed: number;
  /** What was found. Empty: every invariant held. */
  readonly violations: readonly Violation[];
  /** Two runs of one seed have the same. */
  readonly hash: string;
  /** Entries handed to applications. */
  readonly entries: number;
  readonly events: number;
  /** How long it lasted, in virtual ms. */
  readonly lastedMs: number;
  /** How long it took until all was at rest after the faults had stopped, in virtual ms. */
  readonly healedMs: number;
  readonly trace: readonly string[] | undefined;
}

/** Runs one seed to its end. Never rejects for what the parts do. */
export async function simulate({
  seed,
  parts,
  trace = false,
  coverage = new Coverage(),
}: SimulateOptions): Promise<SimulationReport> {
  // Once in a turn of the real event loop: else weak references are never let go of.
  await new Promise<void>((resolve) => setImmediate(resolve));
  const simulation = new Simulation(scenarioOf(seed), parts, trace, coverage);
  await simulation.run();
  const { verdicts, trace: told, world, everybody, healedMs } = simulation;
  return {
    seed,
    violations: verdicts.violations,
    hash: told.hash,
    entries: everybody.reduce((sum, app) => sum + handedTo(app), 0),
    events: world.events,
    lastedMs: world.now,
    healedMs,
    trace: told.lines,
  };
}

function handedTo({ readings }: App): number {
  return readings.reduce((sum, { handed }) => sum + handed, 0);
}
