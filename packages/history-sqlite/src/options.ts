import { readWindowLimits, type WindowLimits, type WindowOptions, wholeNumber } from '@haip/history-engine';
import { systemClock, uuidIds } from '@haip/platform';
import type { Clock, Ids } from '@haip/protocol';

export interface SqliteHistoryOptions extends WindowOptions {
  /** The file, made when it is not there. Its folder must be. Beside it lie `…-wal`, `…-shm` and `…-lock`. */
  readonly path: string;
  /** How long a message is kept. More than 0, at most 366 days. Default 30 days. */
  readonly windowTime?: WindowOptions['windowTime'];
  /**
   * `full` (default): what was settled survives a loss of power. `normal`: faster, the last commits may be lost with
   * the power; the epoch is then renewed on each start that did not follow a clean close.
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** Most bytes the file may grow to, 64 KiB or more; then appends fail and reading goes on. Default: what the disk holds. */
  readonly maxFileBytes?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Names the epoch. Default: UUID v4. */
  readonly ids?: Ids | undefined;
}

export interface ReadOptions {
  readonly path: string;
  readonly limits: WindowLimits;
  readonly synchronous: 'full' | 'normal';
  readonly maxFileBytes: number | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** @throws RangeError naming the option, what was expected and what came. */
export function readOptions(options: SqliteHistoryOptions): ReadOptions {
  const { path, synchronous = 'full', maxFileBytes, clock = systemClock, ids = uuidIds } = options;
  if (typeof path !== 'string' || path === '' || path === ':memory:') {
    throw new RangeError(`path: expected the path of a file, got ${JSON.stringify(path)}`);
  }
  if (synchronous !== 'full' && synchronous !== 'normal') {
    throw new RangeError(`synchronous: expected "full" or "normal", got ${String(synchronous)}`);
  }
  if (maxFileBytes !== undefined) wholeNumber('maxFileBytes', maxFileBytes, 65_536, 2 ** 44);
  return { path, limits: readWindowLimits(options, '30d'), synchronous, maxFileBytes, clock, ids };
}
