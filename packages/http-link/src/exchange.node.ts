// A request of Node's http as an Exchange.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Downstream, Exchange, ExchangeListener, Headers } from './exchange.ts';

/** What Node's socket writes through: what the socket itself says counts what only waits in it. */
interface SocketHandle {
  /** Handed to the system's queue so far. */
  readonly bytesWritten: number;
  /** Of that, what the system has not taken. */
  readonly writeQueueSize: number;
}

export class NodeExchange implements Exchange, Downstream {
  readonly method: string;
  readonly path: string;
  readonly headers: Exchange['headers'];
  readonly remoteAddress: string | undefined;
  readonly isLocal: boolean;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #written = 0;

  constructor(request: IncomingMessage, response: ServerResponse, path: string, isLocal: boolean) {
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? '';
    this.path = path;
    this.headers = request.headers;
    this.remoteAddress = request.socket.remoteAddress;
    this.isLocal = isLocal;
    // A peer that leaves while it is written to is told by `close`.
    response.on('error', () => {});
  }

  body(maxBytes: number, deadlineMs: number): Promise<Uint8Array | number> {
    const request = this.#request;
    if (Number(request.headers['content-length']) > maxBytes) return Promise.resolve(413);
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (result: Uint8Array | number): void => {
        clearTimeout(timer);
        request.removeAllListeners('data').pause();
        resolve(result);
      };
      const timer = setTimeout(() => finish(408), deadlineMs);
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) finish(413);
        else chunks.push(chunk);
      });
      request.once('end', () => finish(Buffer.concat(chunks, size)));
      request.once('error', () => finish(400));
      request.once('close', () => finish(400));
    });
  }

  answer(status: number, headers: Headers, body = ''): void {
    const response = this.#response;
    // What was not read of the body is not waited for.
    if (!this.#request.complete) response.shouldKeepAlive = false;
    response.writeHead(status, {
      ...headers,
      ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
    });
    response.end(body);
  }

  get written(): number {
    const { _handle: handle } = this.#request.socket as Socket & { readonly _handle?: SocketHandle | null };
    // The handle is gone once the link is.
    if (handle) this.#written = handle.bytesWritten - handle.writeQueueSize;
    return this.#written;
  }

  get unsent(): number {
    return this.#response.writableLength;
  }

  attend(listener: ExchangeListener): void {
    this.#response.on('drain', () => listener.drained());
    this.#response.once('close', () => listener.gone());
  }

  stream(status: number, headers: Headers): Downstream {
    this.#response.writeHead(status, headers);
    return this;
  }

  write(text: string): boolean {
    return this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  cut(): void {
    this.#response.destroy();
  }

  soon(job: () => void): void {
    // Called from a promise's continuation, nextTick runs when no more of these wait: at the end of the turn.
    process.nextTick(job);
  }
}
