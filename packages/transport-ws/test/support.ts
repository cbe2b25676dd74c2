// What the tests share: a listening server whose connections can be awaited, and a peer made of bare bytes.

import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type Connection, type Envelope, encode, type Frame, type Incoming, type PeerInfo } from '@haip/protocol';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type AcceptWebSocketsOptions, acceptWebSockets } from '../src/server.ts';

export interface Accepted {
  readonly connection: Connection;
  readonly info: PeerInfo;
}

export interface TestServer {
  readonly http: Server;
  readonly port: number;
  readonly url: string;
  /** The next connection that was accepted, in order. */
  accepted(): Promise<Accepted>;
}

export async function listen(options: AcceptWebSocketsOptions = {}): Promise<TestServer> {
  const http = createServer((_, response) => void response.end('page'));
  const port = await listening(http);
  const ready: Accepted[] = [];
  const waiting: ((accepted: Accepted) => void)[] = [];
  acceptWebSockets(
    http,
    async (connection, info) => {
      const accepted = { connection, info };
      const next = waiting.shift();
      if (next) next(accepted);
      else ready.push(accepted);
    },
    options,
  );
  const accepted = () => {
    const first = ready.shift();
    return first ? Promise.resolve(first) : new Promise<Accepted>((resolve) => waiting.push(resolve));
  };
  return { http, port, url: `ws://127.0.0.1:${port}${options.path ?? '/haip/websocket'}`, accepted };
}

/** Listens on a free port until the test is over; sockets that are still open then are cut. */
export async function listening(http: Server): Promise<number> {
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => http.close(resolve));
  });
  return (http.address() as AddressInfo).port;
}

/** A ws client, open, and what the server accepted for it. */
export async function dialWs(server: TestServer): Promise<Accepted & { readonly client: WebSocket }> {
  const client = new WebSocket(server.url);
  const [accepted] = await Promise.all([server.accepted(), new Promise((resolve) => client.once('open', resolve))]);
  return { ...accepted, client };
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn often enough that whatever is on its way over loopback arrives. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function envelope(fields: Partial<Envelope> = {}): Envelope {
  return {
    id: 'm1',
    transaction: 't1',
    session: 's1',
    seq: '1',
    ts: '0',
    channel: 'USER',
    type: 'MESSAGE',
    payload: 'Hello',
    ...fields,
  };
}

export function frameOf(fields: Partial<Envelope> = {}, bytes?: Uint8Array, shared = false): Frame {
  const written = bytes ? { bin_len: bytes.length, bin_mime: 'audio/opus', ...fields } : fields;
  return { text: encode(envelope(written)), bytes, shared };
}

/** Sends 100 kB frames in one turn until `send` asks to wait; gives what it asked with. */
export function sendUntilAsked(connection: Connection): Promise<void> {
  for (let sent = 0; sent < 1000; sent++) {
    const waiting = connection.send(frameOf({ payload: 'x'.repeat(100_000) }));
    if (waiting) return waiting;
  }
  throw new Error('100 MB were taken without a word');
}

/** Takes incoming values until there are `count`; fewer when the connection ends. */
export async function take(connection: Connection, count: number): Promise<Incoming[]> {
  const taken: Incoming[] = [];
  if (count === 0) return taken;
  for await (const batch of connection) {
    taken.push(...batch);
    if (taken.length >= count) break;
  }
  return taken;
}

/** Everything until the connection ends. */
export function takeAll(connection: Connection): Promise<Incoming[]> {
  return take(connection, Number.POSITIVE_INFINITY);
}

export const upgradeLines = [
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
] as const;

export function requestText(target: string, lines: readonly string[]): string {
  return `${[`GET ${target} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A masked message as a client writes it; the mask is zero, so the payload shows as it is. */
export function message(kind: 'text' | 'binary', payload: string | Uint8Array): Buffer {
  const body = Buffer.from(payload as string);
  const head = [kind === 'text' ? 0x81 : 0x82];
  if (body.length < 126) head.push(0x80 | body.length);
  else if (body.length < 65_536) head.push(0xfe, body.length >> 8, body.length & 255);
  else
    head.push(
      0xff,
      0,
      0,
      0,
      0,
      (body.length >> 24) & 255,
      (body.length >> 16) & 255,
      (body.length >> 8) & 255,
      body.length & 255,
    );
  return Buffer.concat([Buffer.from(head), Buffer.alloc(4), body]);
}

/** A peer that speaks bytes. `received` grows with what came after the upgrade's answer. */
export interface RawSocket {
  readonly socket: Socket;
  readonly received: Buffer;
  /** Resolves when at least `length` bytes came. */
  has(length: number): Promise<void>;
  readonly ended: Promise<void>;
}

/** Opens a TCP connection and writes `text`. */
export function dialRaw(port: number, text: string): RawSocket {
  const socket = connect(port, '127.0.0.1');
  let received = Buffer.alloc(0);
  let check = () => {};
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    check();
  });
  socket.setNoDelay();
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
  onTestFinished(() => void socket.destroy());
  socket.write(text);
  return {
    socket,
    get received() {
      return received;
    },
    has: (length) =>
      new Promise((resolve) => {
        check = () => {
          if (received.length >= length) resolve();
        };
        check();
      }),
    ended,
  };
}

/** A raw peer behind a successful upgrade; what it received before is left out. */
export async function upgradeRaw(server: TestServer): Promise<RawSocket> {
  const peer = dialRaw(server.port, requestText('/haip/websocket', upgradeLines));
  await peer.has('HTTP/1.1 101'.length);
  const head = peer.received.indexOf('\r\n\r\n') + 4;
  return {
    socket: peer.socket,
    get received() {
      return peer.received.subarray(head);
    },
    has: (length) => peer.has(head + length),
    ended: peer.ended,
  };
}
