// Real servers, clients, neighbours and proxies that are gone when the test is over.

import { type FaultProxy, type FaultProxyOptions, faultProxy } from '@haip/testing/fault-proxy';
import { onTestFinished } from 'vitest';
import {
  beginNeighbour,
  makeClient,
  type Neighbour,
  type RealClient,
  type RealClientOptions,
  type RealServer,
  type RealServerOptions,
  startServer,
} from './real-pair.ts';

export async function realServer(options?: RealServerOptions): Promise<RealServer> {
  const server = await startServer(options);
  onTestFinished(server.close);
  return server;
}

export function realClient(port: number, options?: RealClientOptions): RealClient {
  const made = makeClient(port, options);
  onTestFinished(() => made.client.disconnect());
  return made;
}

export async function neighbourOf({ port }: { readonly port: number }): Promise<Neighbour> {
  const neighbour = await beginNeighbour(port);
  onTestFinished(() => neighbour.client.disconnect());
  return neighbour;
}

export async function proxyTo(
  target: { readonly port: number },
  options: Partial<FaultProxyOptions> = {},
): Promise<FaultProxy> {
  const proxy = await faultProxy({ target: target.port, ...options });
  onTestFinished(() => proxy.close());
  return proxy;
}
