// A transport without a network: each dial makes a memory link and gives its far end to a server. Counts what it
// made, so that a test can cut it and see that nothing stays open.

import type { Accept, Clock, Connection, DialOptions, PeerInfo, Transport } from '@haip/protocol';
import { type MemoryLink, type MemoryLinkOptions, memoryLink } from './memory-link.ts';

export interface MemoryTransportOptions extends MemoryLinkOptions {
  /** For people and logs. Default `memory`. */
  readonly name?: string | undefined;
  /** What the server is told of the peer besides the transport. */
  readonly headers?: PeerInfo['headers'] | undefined;
  readonly remoteAddress?: string | undefined;
}

export interface MemoryTransport extends Transport {
  /** Every link made so far, those that ended included. */
  readonly links: readonly MemoryLink[];
  /** The link of the latest dial. @throws Error before the first one. */
  readonly last: MemoryLink;
  /** Dials begun so far, refused ones included. */
  readonly dials: number;
  /** Makes the next `times` dials fail. Default: all from now on; 0 lets them through again. */
  refuse(times?: number): void;
}

/** Resolves after `ms` by the clock; rejects with the signal's reason when that comes first. */
function wait(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    function stop(): void {
      timer.cancel();
      reject(signal.reason);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * A client's transport that reaches `accept`, a server's, in memory. With latency a dial takes one round trip.
 */
export function memoryTransport(accept: Accept, options: MemoryTransportOptions = {}): MemoryTransport {
  const { name = 'memory', headers = {}, remoteAddress = '127.0.0.1', latencyMs = 0, clock } = options;
  const links: MemoryLink[] = [];
  let refusals = 0;
  let dials = 0;

  async function dial({ limits }: DialOptions, signal: AbortSignal): Promise<Connection> {
    dials++;
    signal.throwIfAborted();
    if (latencyMs > 0 && clock !== undefined) await wait(2 * latencyMs, clock, signal);
    else await Promise.resolve();
    signal.throwIfAborted();
    if (refusals > 0) {
      refusals--;
      throw new Error(`${name}: the dial was refused by the test`);
    }
    const link = memoryLink({ ...options, clientLimits: limits ?? options.clientLimits });
    links.push(link);
    void accept(link.server, { transport: name, headers, remoteAddress });
    return link.client;
  }

  return {
    name,
    dial,
    links,
    get last() {
      const link = links.at(-1);
      if (link === undefined) throw new Error('last: no dial has made a link yet');
      return link;
    },
    get dials() {
      return dials;
    },
    refuse(times = Number.POSITIVE_INFINITY) {
      refusals = times;
    },
  };
}
