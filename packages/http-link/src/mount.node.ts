// Puts endpoints on a Node HTTP server: requests for their paths reach no other listener, whenever that was added; all
// others go where they went before.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Endpoint } from './endpoint.ts';
import { NodeExchange } from './exchange.node.ts';

export type { Server as HttpServer } from 'node:http';

const nodeHeadersTimeoutMs = 60_000;

/** What a Node server that links come in at may be told. */
export interface MountOptions {
  /**
   * How long a request may take to bring its headers, in ms, for the whole of `server`. Default 10,000 where the server
   * has Node's own default of 60,000, else what it has. Node looks every `connectionsCheckingInterval` (30 s by default).
   */
  readonly headersTimeoutMs?: number | undefined;
}

/** The endpoints by path of every server that has some. */
const mounted = new WeakMap<Server, Map<string, Endpoint>>();

/**
 * Gives the requests for `path`, and for one segment below it, to the endpoint.
 * @throws Error when the path is taken on this server.
 */
export function mount(server: Server, path: string, endpoint: Endpoint, options: MountOptions = {}): void {
  const endpoints = mounted.get(server) ?? watch(server);
  if (endpoints.has(path)) throw new Error(`The path ${path} is taken on this server.`);
  endpoints.set(path, endpoint);
  const { headersTimeoutMs = 10_000 } = options;
  if (options.headersTimeoutMs !== undefined || server.headersTimeout === nodeHeadersTimeoutMs) {
    server.headersTimeout = headersTimeoutMs;
  }
}

function watch(server: Server): Map<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>();
  mounted.set(server, endpoints);
  let isLocal: boolean | undefined;
  const take = (request: IncomingMessage, response: ServerResponse): boolean => {
    // By hand: URL throws on targets such as `//`.
    const path = (request.url ?? '').split('?', 1)[0] as string;
    const endpoint = endpoints.get(path) ?? endpoints.get(path.slice(0, path.lastIndexOf('/')));
    if (!endpoint) return false;
    isLocal ??= isLoopback(server);
    void endpoint.take(new NodeExchange(request, response, path, isLocal));
    return true;
  };
  const emit = server.emit as (event: string | symbol, ...details: unknown[]) => boolean;
  server.emit = (event: string | symbol, ...details: unknown[]): boolean => {
    if (event === 'request') {
      const [request, response] = details as [IncomingMessage, ServerResponse];
      if (take(request, response)) return true;
      if (server.listenerCount('request') === 0) response.writeHead(404).end();
    }
    return emit.call(server, event, ...details);
  };
  return endpoints;
}

function isLoopback(server: Server): boolean {
  const address = server.address();
  if (address === null || typeof address === 'string') return false;
  return address.address.startsWith('127.') || address.address === '::1';
}
