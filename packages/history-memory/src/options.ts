import { readWindowLimits, type WindowLimits, type WindowOptions } from '@haip/history-engine';
import { systemClock, uuidIds } from '@haip/platform';
import type { Clock, Ids } from '@haip/protocol';

export interface MemoryHistoryOptions extends WindowOptions {
  /** How long a message is kept. More than 0, at most 366 days. Default 1 hour. */
  readonly windowTime?: WindowOptions['windowTime'];
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Names the epoch. Default: UUID v4. */
  readonly ids?: Ids | undefined;
}

/** The options, checked, in ms and bytes. */
export type Limits = WindowLimits;

/**
 * Fills in what was left out and checks the rest.
 * @throws RangeError naming the option, what was expected and what came.
 */
export function readOptions({ clock = systemClock, ids = uuidIds, ...window }: MemoryHistoryOptions): {
  limits: Limits;
  clock: Clock;
  ids: Ids;
} {
  return { limits: readWindowLimits(window, '1h'), clock, ids };
}
