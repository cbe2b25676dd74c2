// A TCP proxy that does to real sockets what networks do. Listens, makes a link for each connection, and forgets none
// until it is closed. Knows no protocol. Node only.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { systemClock } from '@haip/platform';
import type { Clock } from '@haip/protocol';
import { type FaultLink, ProxiedLink } from './fault-link.ts';
import type { LinkFaults } from './faults.ts';

export interface FaultProxyOptions {
  /** Where links lead: a port of this machine, or an address. */
  readonly target: number | { readonly host?: string | undefined; readonly port: number };
  /** What every link begins with. A function is asked for each, by its number: 0, 1, 2 … Default: no fault. */
  readonly faults?: LinkFaults | ((link: number) => LinkFaults) | undefined;
  /** What latency, bandwidth and idleness are measured by. Default: the system's. */
  readonly clock?: Clock | undefined;
}

export interface FaultProxy {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** Every link made so far, those that ended included. */
  readonly links: readonly FaultLink[];
  /** The link made last. @throws Error before the first one. */
  readonly last: FaultLink;
  /** The first link not yet given by `next`, once it is there. */
  next(): Promise<FaultLink>;
  /** What links made from now on begin with, in place of the option `faults`. */
  impose(faults: LinkFaults | ((link: number) => LinkFaults)): void;
  /** Ends every link and stops listening. Resolves when no socket is left. */
  close(): Promise<void>;
}

/**
 * Listens on a free port of 127.0.0.1 and passes every connection on to `target`, with the faults it is told.
 *
 * @example
 * const proxy = await faultProxy({ target: 8082 });
 * const client = new HAIPClient({ transports: [webSocket({ url: `ws://127.0.0.1:${proxy.port}/haip/websocket` })] });
 * await client.connect();
 * proxy.last.cut('reset');
 */
export async function faultProxy({
  target,
  faults: given = {},
  clock = systemClock,
}: FaultProxyOptions): Promise<FaultProxy> {
  const { host = '127.0.0.1', port } = typeof target === 'number' ? { port: target } : target;
  const links: ProxiedLink[] = [];
  const waiting: (() => void)[] = [];
  let faults = given;
  let taken = 0;

  function join(client: Socket): void {
    const begin = typeof faults === 'function' ? faults(links.length) : faults;
    const { sourceAddress: localAddress } = begin;
    const far = connect({ host, port, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) });
    for (const socket of [client, far]) socket.setNoDelay();
    links.push(new ProxiedLink(client, far, clock, begin));
    waiting.shift()?.();
  }

  const server = createServer({ allowHalfOpen: true }, join);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;

  return {
    port: address.port,
    links,
    get last() {
      const link = links.at(-1);
      if (link === undefined) throw new Error('last: nothing has connected yet');
      return link;
    },
    async next() {
      const number = taken++;
      if (number >= links.length) await new Promise<void>((come) => waiting.push(come));
      return links[number] as FaultLink;
    },
    impose(next) {
      faults = next;
    },
    async close() {
      for (const link of links) link.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
