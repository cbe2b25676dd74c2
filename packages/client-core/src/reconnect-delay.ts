// How long to stay away before trying again: full jitter, so that a thousand clients of a server that fell do not
// come back as one. Pure.

import type { Random } from '@haip/protocol';

export interface DelayRange {
  /** Shortest wait. Default 100 ms. */
  readonly minDelayMs: number;
  /** Longest wait. Default 20,000 ms. */
  readonly maxDelayMs: number;
}

/** A delay for the retry after `failures` others: evenly between the minimum and a ceiling that doubles up to the maximum. */
export function reconnectDelay(failures: number, random: Random, { minDelayMs, maxDelayMs }: DelayRange): number {
  const ceiling = Math.min(maxDelayMs, Math.max(1, minDelayMs) * 2 ** (failures + 1));
  return Math.round(minDelayMs + random() * Math.max(0, ceiling - minDelayMs));
}
