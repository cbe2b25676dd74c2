import { readWindowLimits, type WindowLimits, type WindowOptions } from '@haip/history-engine';
import { consoleLogger, systemClock, uuidIds } from '@haip/platform';
import type { Clock, Ids, Logger } from '@haip/protocol';

export interface RedisHistoryOptions extends WindowOptions {
  /** `redis://` or `rediss://`, with user, password, host, port and database as need be. */
  readonly url: string;
  /** What all keys and channels begin with: stores of one prefix share their logs. 1–64 of `A-Z a-z 0-9 _ . -`. Default `haip`. */
  readonly prefix?: string | undefined;
  /** How long a message is kept. More than 0, at most 366 days. Default 1 hour. */
  readonly windowTime?: WindowOptions['windowTime'];
  /** Told of a Redis that keeps less than it should, and of one that is lost and found again. Default: the console, from `warn` on. */
  readonly logger?: Logger | undefined;
  /**
   * Measures how long things are kept. Default: the system's, and the clock of Redis for the time in which no store ran.
   * A clock given here serves for that, too; stores of one prefix must then have the same.
   */
  readonly clock?: Clock | undefined;
  /** Names epochs. Default: UUID v4. */
  readonly ids?: Ids | undefined;
}

export interface ReadOptions {
  readonly url: string;
  /** The server as errors and log lines name it: without user and password. */
  readonly address: string;
  readonly database: number;
  readonly prefix: string;
  readonly limits: WindowLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Whether the wall clock is that of `clock` rather than of Redis. */
  readonly ownWall: boolean;
  readonly ids: Ids;
}

const PREFIX = /^[A-Za-z0-9_.-]{1,64}$/;

/** @throws RangeError naming the option, what was expected and what came. */
export function readOptions(options: RedisHistoryOptions): ReadOptions {
  const { url, prefix = 'haip', clock, logger = consoleLogger(), ids = uuidIds } = options;
  // What came may have a password in it.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['redis:', 'rediss:'].includes(parsed.protocol)) {
    throw new RangeError(`url: expected redis://host:port or rediss://host:port, got ${parsed?.protocol ?? 'no URL'}`);
  }
  const database = /^(?:\/([0-9]{1,5})?)?$/.exec(parsed.pathname);
  if (database === null) throw new RangeError(`url: expected a database number as path, got ${parsed.pathname}`);
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    throw new RangeError(`prefix: expected 1 to 64 of A-Z a-z 0-9 _ . -, got ${JSON.stringify(prefix)}`);
  }
  return {
    url,
    address: `${parsed.hostname}:${parsed.port || '6379'}`,
    database: Number(database[1] ?? 0),
    prefix,
    limits: readWindowLimits(options, '1h'),
    logger,
    clock: clock ?? systemClock,
    ownWall: clock !== undefined,
    ids,
  };
}
