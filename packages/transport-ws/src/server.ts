// Takes WebSockets from the `upgrade` event of any Node HTTP server and gives each to an Accept as a Connection.
// Answers bad upgrades itself, and plain requests where nobody else listens; leaves other paths to whoever does. Never reads an envelope. Spec: §7.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Accept, type CodecLimits, defaultCodecLimits, type PeerInfo } from '@haip/protocol';
import { type ServerOptions, WebSocketServer } from 'ws';
import { PeerSocket, ServerConnection } from './server-connection.ts';

export interface AcceptWebSocketsOptions {
  /** The path of the upgrade request, without its query. Default `/haip/websocket`. */
  readonly path?: string | undefined;
  /** The values of `Origin` that are let in; a request without one is no browser's and passes. Default: all. */
  readonly origins?: readonly string[] | undefined;
  /** Caps for what is read. Default: the codec's. */
  readonly limits?: CodecLimits | undefined;
  /** `send` asks to wait while at least so many bytes are not taken by the network. Default 65,536. */
  readonly highWaterBytes?: number | undefined;
  /** Reading stops while at least so many bytes wait for the consumer. Default 65,536. */
  readonly readAheadBytes?: number | undefined;
  /** How long a close waits for what was sent before and for the peer's answer, in ms. Default 3,000. */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * How long a request may take to bring its headers, in ms, for the whole of `server`. Default 10,000 where the server
   * has Node's own default of 60,000, else what it has. Node looks every `connectionsCheckingInterval` (30 s by default).
   */
  readonly headersTimeoutMs?: number | undefined;
}

export interface WebSocketListener {
  /** Refuses upgrades from now on. Connections that are open stay open: they are ended by who accepted them. */
  close(): void;
}

type Endpoint = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/** The endpoints by path of every server that has some: one upgrade listener of ours each, whatever is mounted. */
const mounted = new WeakMap<Server, Map<string, Endpoint>>();

const mostHeaders = 128;
const nodeHeadersTimeoutMs = 60_000;

/**
 * Accepts WebSockets on `server`, beside whatever else it serves.
 * @throws Error when the path is taken on this server, TypeError for what is no {@link Accept} and origins that are no list.
 */
export function acceptWebSockets(
  server: Server,
  accept: Accept,
  options: AcceptWebSocketsOptions = {},
): WebSocketListener {
  const path = options.path ?? '/haip/websocket';
  const endpoints = mounted.get(server) ?? mount(server);
  if (endpoints.has(path)) throw new Error(`Another acceptWebSockets has the path ${path} on this server.`);
  endpoints.set(path, endpoint(accept, options));
  const { headersTimeoutMs = 10_000 } = options;
  if (options.headersTimeoutMs !== undefined || server.headersTimeout === nodeHeadersTimeoutMs) {
    server.headersTimeout = headersTimeoutMs;
  }
  return { close: () => void endpoints.delete(path) };
}

/** What is known of a peer. Keeps the headers and not the request, which would stay as long as the connection. */
class Peer implements PeerInfo {
  readonly transport = 'websocket';
  readonly headers: PeerInfo['headers'];
  readonly #socket: Socket;

  constructor(headers: PeerInfo['headers'], socket: Socket) {
    this.headers = headers;
    this.#socket = socket;
  }

  /** Asked of the system only when somebody wants to know. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }
}

function mount(server: Server): Map<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>();
  mounted.set(server, endpoints);
  server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = duplex as Socket;
    const take = endpoints.get(pathOf(request));
    if (take) take(request, socket, head);
    else if (server.listenerCount('upgrade') === 1) refuse(socket, '404 Not Found');
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Node would leave it without an answer. Whoever else listens has one.
    if (server.listenerCount('request') > 1) return;
    const isOurs = endpoints.has(pathOf(request));
    response.writeHead(isOurs ? 426 : 404, isOurs ? { upgrade: 'websocket', connection: 'upgrade' } : {}).end();
  });
  return endpoints;
}

/** By hand: URL throws on targets such as `//`. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] as string;
}

function endpoint(accept: Accept, options: AcceptWebSocketsOptions): Endpoint {
  const { origins, limits = defaultCodecLimits } = options;
  if (typeof accept !== 'function') throw new TypeError('accept: expected a function, as server.accept is one');
  // Its name in versions before 0.2. Passed over, it would let in every page.
  if ('allowedOrigins' in options) throw new TypeError('allowedOrigins: it is called origins now');
  // A text would let in whatever is part of it.
  if (origins && !Array.isArray(origins)) throw new TypeError('origins: expected a list');
  const serverOptions: ServerOptions<typeof PeerSocket> & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: Math.max(limits.maxTextBytes, limits.maxBinaryBytes),
    maxFragments: 1024,
    maxBufferedChunks: 16_384,
    closeTimeout: options.closeTimeoutMs ?? 3000,
    WebSocket: PeerSocket,
  };
  const ws = new WebSocketServer(serverOptions);
  const connectionOptions = {
    supports: { binary: true, pause: true, limits },
    highWaterBytes: options.highWaterBytes ?? 65_536,
    readAheadBytes: options.readAheadBytes ?? 65_536,
  };
  return (request, socket, head) => {
    const refusal = whyRefused(request, origins) ?? whyUnavailable(accept);
    if (refusal) {
      refuse(socket, refusal);
      return;
    }
    ws.handleUpgrade(request, socket, head, (peer) => {
      const connection = new ServerConnection(peer, socket, connectionOptions);
      void accept(connection, new Peer(request.headers, socket));
    });
  };
}

/** The status of the answer to a request that ws would let through; undefined when it may. */
function whyRefused(request: IncomingMessage, origins?: readonly string[]): string | undefined {
  const { host, origin } = request.headers;
  if (request.rawHeaders.length > mostHeaders * 2) return '431 Request Header Fields Too Large';
  if (host === undefined || !/^[\w.~!$&'()*+,;=%:[\]-]+$/.test(host)) return '400 Bad Request';
  if (origin !== undefined && origins && !origins.includes(origin)) return '403 Forbidden';
  return undefined;
}

/** The same for a server that takes nobody now, with when to come again. */
function whyUnavailable({ unavailable }: Accept): string | undefined {
  const away = unavailable?.();
  return away && `503 Service Unavailable\r\nRetry-After: ${Math.ceil((away.retryAfterMs ?? 1000) / 1000)}`;
}

function refuse(socket: Socket, status: string): void {
  // Node took its own listener off before it handed the socket over; without one a reset would end the process.
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
