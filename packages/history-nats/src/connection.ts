// The connection to NATS: made once, then kept for as long as the store lives, however often and for how long it is lost.

import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { ReadOptions } from './options.ts';

export interface Connected {
  readonly nc: NatsConnection;
  /** Most bytes of a message's content. */
  readonly contentBytes: number;
}

/** A server that stands still is noticed after two of these. */
const PING_MS = 10_000;
const SHORTEST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
/** Headers, and the head of a link. */
const HEAD_BYTES = 16_384;
const LEAST_PAYLOAD = 131_072;

/** @throws Error when there is no NATS, or one that is too old or has no JetStream. */
export async function connectTo({ servers, connection, name, timeoutMs }: ReadOptions): Promise<Connected> {
  let wait = SHORTEST_WAIT_MS;
  const nc = await connect({
    name: `haip ${name}`,
    timeout: timeoutMs,
    pingInterval: PING_MS,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
    ...connection,
    servers,
    maxReconnectAttempts: -1,
    // With full jitter, or all nodes would be back in the same moment.
    reconnectDelayHandler: () => {
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      return Math.random() * wait;
    },
  }).catch((cause: Error) => {
    throw new Error(`servers: no NATS at ${servers.join(', ')} (${cause.message})`, { cause });
  });
  void (async () => {
    for await (const { type } of nc.status()) if (type === 'reconnect') wait = SHORTEST_WAIT_MS;
  })();
  try {
    const { version = '', max_payload: payload = 0 } = nc.info ?? {};
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 2 || (major === 2 && minor < 9)) {
      throw new Error(`servers: expected NATS 2.9 or later, got ${version}`);
    }
    if (payload < LEAST_PAYLOAD) {
      throw new Error(`servers: NATS has max_payload ${payload}; expected ${LEAST_PAYLOAD} or more`);
    }
    await jetstreamManager(nc, { timeout: timeoutMs }).catch((cause: Error) => {
      throw new Error(`servers: NATS has no JetStream (${cause.message}); start it with -js`, { cause });
    });
    return { nc, contentBytes: payload - HEAD_BYTES };
  } catch (error) {
    await nc.close();
    throw error;
  }
}
