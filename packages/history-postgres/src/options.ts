import { readWindowLimits, type WindowLimits, type WindowOptions } from '@haip/history-engine';
import { uuidIds } from '@haip/platform';
import type { Clock, Ids } from '@haip/protocol';
import { Schema } from './schema.ts';

/** What the store needs of a `PoolClient` of the package `pg`. */
export interface PostgresClient {
  query(query: { text: string; values?: unknown[]; name?: string }): Promise<{ rows: unknown[] }>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { channel: string; payload?: string | undefined }) => void): unknown;
  release(destroy?: boolean): void;
}

/** What the store needs of a `Pool` of the package `pg`, version 8. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface CommonOptions extends WindowOptions {
  /** The schema of the store's tables, made when it is not there: 1 to 40 of a-z, 0-9 and _. Default `haip`. */
  readonly schema?: string | undefined;
  /** How long a message is kept. More than 0, at most 366 days. Default 30 days. */
  readonly windowTime?: WindowOptions['windowTime'];
  /** Time, for tests; all stores of one schema need the same. Default: the database's, and this process's from then on. */
  readonly clock?: Clock | undefined;
  /** Names epochs, and this store among others. Default: UUID v4. */
  readonly ids?: Ids | undefined;
}

interface ByAddress {
  /** Where the database is, `postgres://user:password@host:5432/database`. The store has connections of its own then. */
  readonly connectionString: string;
  readonly pool?: undefined;
}

interface ByPool {
  /** Connections to use; best made with `pipeline: true`. The store does not end it, and keeps one to listen. */
  readonly pool: PostgresPool;
  readonly connectionString?: undefined;
}

export type PostgresHistoryOptions = CommonOptions & (ByAddress | ByPool);

export interface ReadOptions {
  readonly connectionString: string | undefined;
  readonly pool: PostgresPool | undefined;
  readonly schema: Schema;
  readonly limits: WindowLimits;
  readonly clock: Clock | undefined;
  readonly ids: Ids;
}

/** @throws RangeError naming the option, what was expected and what came. */
export function readOptions(options: PostgresHistoryOptions): ReadOptions {
  const { connectionString, pool, schema = 'haip', clock, ids = uuidIds } = options;
  if ((connectionString === undefined) === (pool === undefined)) {
    throw new RangeError('connectionString: expected either this or a pool');
  }
  // A password may be in it, so what came is not said.
  if (connectionString !== undefined && !/^postgres(ql)?:\/\/./.test(connectionString)) {
    throw new RangeError('connectionString: expected postgres://user:password@host:port/database');
  }
  if (pool !== undefined) checkPool(pool);
  return { connectionString, pool, schema: new Schema(schema), limits: readWindowLimits(options, '30d'), clock, ids };
}

/** To listen, to commit, and to read. */
const FEWEST_CONNECTIONS = 3;

function checkPool(pool: PostgresPool & { readonly options?: { readonly max?: unknown } }): void {
  if (typeof pool.connect !== 'function') {
    throw new RangeError(`pool: expected a Pool of the package pg, got ${typeof pool}`);
  }
  const max = pool.options?.max;
  if (typeof max === 'number' && max < FEWEST_CONNECTIONS) {
    throw new RangeError(`pool: expected one of ${FEWEST_CONNECTIONS} connections or more, got ${max}`);
  }
}
