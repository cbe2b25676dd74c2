// Servers of each HTTP transport, on Node's http and as a Request-to-Response handler behind a small bridge, and what
// the tests of both need of them.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Accept, CodecLimits, Transport } from '@haip/protocol';
import { httpStream } from '@haip/transport-http/client';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { httpStreamHandler } from '@haip/transport-http/web';
import { serverSentEvents } from '@haip/transport-sse/client';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { serverSentEventsHandler } from '@haip/transport-sse/web';

export interface ServeOptions {
  readonly origins?: readonly string[];
  readonly hosts?: readonly string[];
  readonly limits?: CodecLimits;
  readonly maxPostBytes?: number;
  readonly postTimeoutMs?: number;
  readonly keepAliveMs?: number;
  readonly readAheadBytes?: number;
  readonly closeTimeoutMs?: number;
  /** On Node only. */
  readonly headersTimeoutMs?: number;
}

/** One way to serve one transport. */
export interface Way {
  readonly name: string;
  readonly kind: 'sse' | 'http';
  readonly path: string;
  /** Serves `accept` on a server that does not listen yet. */
  mount(http: Server, accept: Accept, options?: ServeOptions): void;
  dialer(origin: string, fetcher?: typeof fetch): Transport;
}

const sse = {
  kind: 'sse',
  path: '/haip/sse',
  dialer: (origin: string, fetcher?: typeof fetch) =>
    serverSentEvents({ url: `${origin}/haip/sse?token=canary`, fetch: fetcher }),
} as const;
const http = {
  kind: 'http',
  path: '/haip/stream',
  dialer: (origin: string, fetcher?: typeof fetch) =>
    httpStream({ url: `${origin}/haip/stream?token=canary`, fetch: fetcher }),
} as const;

export const ways: readonly Way[] = [
  {
    ...http,
    name: 'HTTP streaming on Node',
    mount: (server, accept, options) => void acceptHttpStreams(server, accept, options),
  },
  {
    ...http,
    name: 'HTTP streaming by a handler',
    mount: (server, accept, options) => bridge(server, httpStreamHandler(accept, options)),
  },
  {
    ...sse,
    name: 'SSE on Node',
    mount: (server, accept, options) => void acceptServerSentEvents(server, accept, options),
  },
  {
    ...sse,
    name: 'SSE by a handler',
    mount: (server, accept, options) => bridge(server, serverSentEventsHandler(accept, options)),
  },
];

/** Serves a Request-to-Response handler on Node, as the frameworks that have one do. */
function bridge(server: Server, answer: (request: Request) => Promise<Response>): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {}).setMaxListeners(0);
    void (async () => {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const { body, status, headers } = await answer(requestOf(request, gone.signal));
      if (!request.complete) response.shouldKeepAlive = false;
      response.writeHead(status, Object.fromEntries(headers));
      const reader = body?.getReader();
      response.on('close', () => void reader?.cancel().catch(() => {}));
      response.flushHeaders();
      for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
        if (!response.write(read.value)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
      response.end();
    })().catch(() => (response.headersSent ? response.destroy() : response.writeHead(400).end()));
  });
}

function requestOf(request: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', headers } = request;
  const hasBody = method === 'POST';
  const body = new ReadableStream({
    start: (controller) => {
      request.on('data', (chunk: Buffer) => {
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) request.pause();
      });
      request.on('end', () => controller.close());
      request.on('error', (error) => controller.error(error));
    },
    pull: () => void request.resume(),
    cancel: () => void request.removeAllListeners().pause(),
  });
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: headers as Record<string, string>,
    signal,
    ...(hasBody ? { body, duplex: 'half' } : {}),
  } as RequestInit);
}

export interface Listening {
  readonly origin: string;
  readonly port: number;
  /** Breaks every connection. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address. */
export async function listening(server: Server = createServer()): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
