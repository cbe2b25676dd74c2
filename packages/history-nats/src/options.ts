import { readWindowLimits, type WindowLimits, type WindowOptions, wholeNumber } from '@haip/history-engine';
import { uuidIds } from '@haip/platform';
import type { Clock, Ids } from '@haip/protocol';
import type { NodeConnectionOptions } from '@nats-io/transport-node';

export interface NatsHistoryOptions extends WindowOptions {
  /** `host:port` of one server of NATS, or of several of a cluster. Default `127.0.0.1:4222`. */
  readonly servers?: string | readonly string[] | undefined;
  /** What else the driver is to know: `user` and `pass`, `token`, `authenticator`, `tls` … */
  readonly connection?: Omit<NodeConnectionOptions, 'servers'> | undefined;
  /**
   * Names the streams, `NAME` and `NAME_index`, and is the first token of every subject. `[A-Za-z0-9_-]{1,64}`.
   * Default `haip`.
   */
  readonly name?: string | undefined;
  /** How long a message is kept. More than 0, at most 366 days. Default 30 days. */
  readonly windowTime?: WindowOptions['windowTime'];
  /** Of streams that are not there yet. `memory` survives no restart of NATS. Default `file`. */
  readonly storage?: 'file' | 'memory' | undefined;
  /** Of streams that are not there yet: how many servers keep each message, 1 to 5. Default 1. */
  readonly replicas?: number | undefined;
  /** After how many ms without an answer of NATS something rejects. 100 to 60,000. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** About how many bytes of what was last used are kept in memory. 2^20 to 2^34. Default 64 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Default: the time of the server of NATS, going on by this process's monotonic clock. */
  readonly clock?: Clock | undefined;
  /** Names the epoch. Default: UUID v4. */
  readonly ids?: Ids | undefined;
}

export interface ReadOptions {
  readonly servers: string[];
  readonly connection: Omit<NodeConnectionOptions, 'servers'>;
  readonly name: string;
  readonly limits: WindowLimits;
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  readonly timeoutMs: number;
  readonly cacheBytes: number;
  readonly clock: Clock | undefined;
  readonly ids: Ids;
}

/** @throws RangeError naming the option, what was expected and what came. */
export function readOptions(options: NatsHistoryOptions): ReadOptions {
  const { servers = '127.0.0.1:4222', name = 'haip', storage = 'file', connection = {}, clock } = options;
  const { replicas = 1, timeoutMs = 5000, cacheBytes = 64 * 2 ** 20, ids = uuidIds } = options;
  const list = typeof servers === 'string' ? [servers] : servers;
  if (!Array.isArray(list) || list.length === 0 || !list.every((one) => typeof one === 'string' && one !== '')) {
    throw new RangeError(`servers: expected host:port or a list of them, got ${JSON.stringify(servers)}`);
  }
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new RangeError(`name: expected 1 to 64 of A-Z, a-z, 0-9, _ and -, got ${JSON.stringify(name)}`);
  }
  if (storage !== 'file' && storage !== 'memory') {
    throw new RangeError(`storage: expected "file" or "memory", got ${String(storage)}`);
  }
  return {
    servers: [...list],
    connection,
    name,
    limits: readWindowLimits(options, '30d'),
    storage,
    replicas: wholeNumber('replicas', replicas, 1, 5),
    timeoutMs: wholeNumber('timeoutMs', timeoutMs, 100, 60_000),
    cacheBytes: wholeNumber('cacheBytes', cacheBytes, 2 ** 20, 2 ** 34),
    clock,
    ids,
  };
}
