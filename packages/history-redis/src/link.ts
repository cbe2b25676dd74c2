// One connection to Redis, made again whenever it is lost. Nothing is queued while it is away and nothing is sent twice:
// what was underway rejects, and whether to ask again is the caller's to say. Knows nothing of what is asked.

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@haip/protocol';
import { createClient } from '@redis/client';
import { RedisUnavailable } from './errors.ts';

export interface LinkOptions {
  readonly url: string;
  /** The server as errors and log lines name it. */
  readonly address: string;
  /** What the connection is for, in log lines. */
  readonly name: string;
  readonly logger: Logger;
  /** Makes a new connection ready for use. One for which it rejects is not used. */
  begin(client: RedisClient): Promise<void>;
  /** How often the server is asked for a sign of life. Default 5,000. */
  readonly probeMs?: number | undefined;
}

export type RedisClient = ReturnType<typeof makeClient>;

interface Connection {
  /** Resolves once it is lost. */
  readonly ended: Promise<void>;
}

const PROBE_MS = 5_000;
/** A server that owes so many signs of life is not there any more: a cut line may stay silent for a quarter of an hour. */
const MOST_UNANSWERED = 2;
const CONNECT_MS = 5_000;
/** The longest pause before trying again doubles up to this. */
const LONGEST_PAUSE_MS = 2_000;
/** More than a server lets wait at once; beyond it commands are refused rather than kept. */
const MOST_WAITING = 100_000;

function makeClient(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MOST_WAITING,
    // Its timer for each command costs more than the command, and stops at the socket: the probe looks further.
    commandOptions: { timeout: 0 },
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
  });
}

export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #client: RedisClient | undefined;
  #failure: Error = new Error('not connected yet');
  #running: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#options.address;
  }

  /** Connects. Rejects when that fails; afterwards the connection is kept up until {@link close}. */
  async start(): Promise<void> {
    try {
      this.#running = this.#keepUp(await this.#connect());
    } catch (error) {
      this.#failure = error as Error;
      throw this.#unavailable();
    }
  }

  /** @throws RedisUnavailable while there is none that can be used. */
  get client(): RedisClient {
    if (this.#client === undefined) throw this.#unavailable();
    return this.#client;
  }

  /** The connection, or undefined while there is none that can be used. */
  get current(): RedisClient | undefined {
    return this.#client;
  }

  /** Gives a connection up: what is underway on it rejects, and another one is made. */
  reset(client: RedisClient, reason: Error): void {
    if (client !== this.#client) return;
    this.#failure = reason;
    client.destroy();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#client?.destroy();
    await this.#running;
  }

  #unavailable(): RedisUnavailable {
    return new RedisUnavailable(this.#options.address, reasonOf(this.#failure), this.#failure);
  }

  async #connect(): Promise<Connection> {
    const client = makeClient(this.#options.url);
    let cause: Error | undefined;
    client.on('error', (error: Error) => {
      cause ??= error;
    });
    const ended = Promise.withResolvers<void>();
    const end = (): void => {
      if (this.#client === client) this.#client = undefined;
      ended.resolve();
    };
    client.once('terminated', end);
    client.once('end', end);
    try {
      await client.connect();
      await this.#options.begin(client);
      if (this.#closing.signal.aborted || !client.isReady) throw cause ?? new Error('lost at once');
    } catch (error) {
      client.destroy();
      throw error;
    }
    this.#client = client;
    this.#failure = new Error('the connection was lost');
    const probe = this.#probe(client);
    return {
      ended: ended.promise.finally(() => {
        clearInterval(probe);
        // The driver keeps count of all clients that were not.
        client.destroy();
        if (cause !== undefined) this.#failure = cause;
      }),
    };
  }

  /** Whoever says nothing is given up. */
  #probe(client: RedisClient): NodeJS.Timeout {
    const { probeMs = PROBE_MS } = this.#options;
    let unanswered = 0;
    const look = (): void => {
      if (unanswered === MOST_UNANSWERED) {
        return this.reset(client, new Error(`no answer for ${MOST_UNANSWERED * probeMs} ms`));
      }
      unanswered++;
      client.sendCommand(['PING']).then(
        () => (unanswered = 0),
        () => {},
      );
    };
    return setInterval(look, probeMs).unref();
  }

  async #keepUp(first: Connection): Promise<void> {
    const { address, name, logger } = this.#options;
    for (let connection: Connection | undefined = first; connection !== undefined; ) {
      await connection.ended;
      if (this.#closing.signal.aborted) return;
      logger('warn', 'redis lost', { address, connection: name, error: this.#failure });
      connection = await this.#reconnect();
      if (connection !== undefined) logger('warn', 'redis found again', { address, connection: name });
    }
  }

  /** Tries until there is one. Undefined when closed meanwhile. */
  async #reconnect(): Promise<Connection | undefined> {
    const { signal } = this.#closing;
    for (let longest = 50; !signal.aborted; longest = Math.min(longest * 2, LONGEST_PAUSE_MS)) {
      try {
        await pause(Math.random() * longest, undefined, { signal });
        return await this.#connect();
      } catch (error) {
        if (!signal.aborted) this.#failure = error as Error;
      }
    }
    return undefined;
  }
}

/** A host with several addresses that all refuse gives an error without a message. */
function reasonOf(error: Error & { readonly code?: string }): string {
  return error.message || error.code || error.name;
}
