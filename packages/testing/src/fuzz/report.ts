// What a fuzz run found, and the one line that says so. Node only.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A rule that one input broke. */
export interface FuzzViolation {
  readonly rule: string;
  /** The case's number; with the seed it gives the input again. */
  readonly case: number;
  /** What was seen. */
  readonly told: string;
  /** The input, cut to 500 characters. */
  readonly input: string;
}

export interface FuzzReport {
  readonly seed: number;
  readonly cases: number;
  /** What became of the inputs: how many times each. */
  readonly counts: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** By how much the memory in use grew, without garbage. */
  readonly grownBytes: number;
  readonly violations: readonly FuzzViolation[];
}

export interface FuzzOptions {
  /** How many inputs. Default 20,000 for a codec, 2,000 for a server. */
  readonly cases?: number | undefined;
  /** Default 1. The same seed gives the same inputs. */
  readonly seed?: number | undefined;
  /** Ends the run early after so long, in ms. Default: not. */
  readonly timeMs?: number | undefined;
  /**
   * How long one input may take, in ms. A slow one is tried twice more before it counts, and a codec is charged only for
   * what this process computed meanwhile. Default 50.
   */
  readonly maxCaseMs?: number | undefined;
  /** By how much the memory in use may grow. Default 64 MiB. */
  readonly maxGrowthBytes?: number | undefined;
}

/** Keeps count of a run. */
export class FuzzTally {
  readonly violations: FuzzViolation[] = [];
  readonly counts: Record<string, number> = {};
  slowestMs = 0;
  cases = 0;
  readonly #seed: number;
  readonly #before: number;
  readonly #maxGrowthBytes: number;
  readonly #until: number;

  constructor({ seed = 1, maxGrowthBytes = 64 * 1024 * 1024, timeMs = Number.POSITIVE_INFINITY }: FuzzOptions) {
    this.#seed = seed;
    this.#maxGrowthBytes = maxGrowthBytes;
    this.#until = performance.now() + timeMs;
    this.#before = bytesInUse();
  }

  get isLate(): boolean {
    return performance.now() >= this.#until;
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  fail(rule: string, told: string, input: string): void {
    this.violations.push({ rule, case: this.cases, told: told.slice(0, 300), input: input.slice(0, 500) });
  }

  report(): FuzzReport {
    const grownBytes = bytesInUse() - this.#before;
    if (grownBytes > this.#maxGrowthBytes) this.fail('memory is bounded', `grew by ${grownBytes} bytes`, '');
    const { cases, counts, slowestMs, violations } = this;
    return { seed: this.#seed, cases, counts, slowestMs, grownBytes, violations };
  }
}

/** Garbage would hide what is kept: collects it, however Node was started. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The report in one line. */
export function fuzzLine(name: string, { seed, cases, counts, slowestMs, grownBytes, violations }: FuzzReport): string {
  const parts = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  const became = parts.map(([what, times]) => `${times} ${what}`).join(', ');
  const grown = (grownBytes / 1024 / 1024).toFixed(1);
  return `${name}: seed ${seed}, ${cases} cases: ${became}; slowest ${slowestMs.toFixed(1)} ms, memory +${grown} MiB, ${violations.length} violations`;
}
