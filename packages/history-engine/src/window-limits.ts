// The options by which a store keeps only so much of each log, checked once at start-up. Spec: §4.

/** A time: ms as a number, or a whole number with its unit, say `'24h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

export interface WindowOptions {
  /** Most messages kept of each transaction; a streamed one counts once. 1 to 1,000,000. Default 1,000. */
  readonly windowSize?: number | undefined;
  /** How long a message is kept. More than 0, at most 366 days. */
  readonly windowTime?: Duration | undefined;
  /** Most bytes kept of each transaction, about. 1,024 to 2^30. Default 8 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long message ids are remembered at least; as long as the window if that is longer. 15 minutes or more. Default 15 minutes. */
  readonly keyTtlMs?: number | undefined;
}

/** The options, checked, in ms and bytes. */
export interface WindowLimits {
  readonly windowSize: number;
  readonly windowTimeMs: number;
  readonly maxBytes: number;
  readonly keyTtlMs: number;
  /** How long after its last entry a transaction's record goes. */
  readonly recordTtlMs: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LONGEST = 366 * DAY;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE, h: 60 * MINUTE, d: DAY };

/** @throws RangeError naming the option, what was expected and what came. */
export function wholeNumber(name: string, value: unknown, lowest: number, highest: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest) return value;
  throw new RangeError(`${name}: expected a whole number from ${lowest} to ${highest}, got ${String(value)}`);
}

function durationMs(name: string, value: unknown): number {
  const match = typeof value === 'string' ? /^([0-9]{1,12})(ms|s|m|h|d)$/.exec(value) : null;
  const ms = match === null ? value : Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN);
  if (typeof ms === 'number' && ms > 0 && ms <= LONGEST) return ms;
  throw new RangeError(`${name}: expected more than 0 and at most 366d, as ms or like "24h", got ${String(value)}`);
}

/**
 * Fills in what was left out and checks the rest.
 * @throws RangeError naming the option, what was expected and what came.
 */
export function readWindowLimits(options: WindowOptions, defaultWindowTime: Duration): WindowLimits {
  const { windowSize = 1000, windowTime = defaultWindowTime, maxBytes = 8 * 2 ** 20, keyTtlMs = 15 * MINUTE } = options;
  const windowTimeMs = durationMs('windowTime', windowTime);
  return {
    windowSize: wholeNumber('windowSize', windowSize, 1, 1_000_000),
    windowTimeMs,
    maxBytes: wholeNumber('maxBytes', maxBytes, 1024, 2 ** 30),
    keyTtlMs: wholeNumber('keyTtlMs', keyTtlMs, 15 * MINUTE, LONGEST),
    recordTtlMs: Math.max(30 * DAY, windowTimeMs),
  };
}
