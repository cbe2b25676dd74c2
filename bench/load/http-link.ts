// A stream over HTTP and the POSTs beside it, on two raw sockets. Chunk borders are not looked at: what is no frame
// (a chunk's size, an event's name, a blank line) does not begin as one.

import { connect, type Socket } from 'node:net';
import type { Link, Route } from './link.ts';

const LINE_FEED = 10;
const COLON = 0x3a;
const BRACE = 0x7b;
const DATA = 'data: '.length;

const paths = { sse: '/haip/sse', http: '/haip/stream' };

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Better no figure than one of fewer connections, or a wait without end. */
function lost(): never {
  throw new Error('the server ended a connection of the load');
}

export class HttpLink implements Link {
  onFrame: Link['onFrame'] = () => {};
  onRead: Link['onRead'] = () => {};
  readonly #route: Route;
  readonly #isEvents: boolean;
  readonly #down: Socket;
  #up: Socket | undefined;
  #hai = '';
  #upstream = '';
  #hasHead = false;
  #rest: Buffer | undefined;
  #answers = '';
  #waiting: string[] = [];
  #isUnderWay = false;
  /** Of sockets for POSTs that the server let go. */
  #formerly = { received: 0, sent: 0 };

  constructor(route: Route) {
    this.#route = route;
    this.#isEvents = route.transport === 'sse';
    this.#down = connect(route.port, '127.0.0.1').setNoDelay(true);
    this.#down
      .on('data', (chunk) => this.#read(chunk))
      .on('error', () => {})
      .on('close', lost);
  }

  open(hai: string): void {
    if (!this.#isEvents) {
      this.#down.write(post(paths.http, hai));
      return;
    }
    this.#hai = hai;
    this.#down.write(`GET ${paths.sse} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  }

  write(texts: readonly string[]): void {
    if (this.#route.pipelined) {
      this.#socket().write(texts.map((text) => post(this.#upstream, text)).join(''));
      return;
    }
    this.#waiting.push(...texts);
    if (!this.#isUnderWay) this.#postOne();
  }

  destroy(): void {
    this.#down.off('close', lost).destroy();
    this.#up?.destroy();
  }

  get received(): number {
    return this.#down.bytesRead + this.#formerly.received + (this.#up?.bytesRead ?? 0);
  }

  get sent(): number {
    return this.#down.bytesWritten + this.#formerly.sent + (this.#up?.bytesWritten ?? 0);
  }

  #postOne(): void {
    if (this.#waiting.length === 0) return;
    this.#isUnderWay = true;
    this.#socket().write(post(this.#upstream, this.#waiting.join('\n')));
    this.#waiting = [];
  }

  /** The socket for POSTs. A server lets go of one that is quiet for some seconds. */
  #socket(): Socket {
    if (this.#up) return this.#up;
    const up = connect(this.#route.port, '127.0.0.1').setNoDelay(true);
    up.on('data', (chunk) => this.#readAnswers(chunk.toString('latin1'))).on('error', () => {});
    up.on('close', () => {
      this.#formerly.received += up.bytesRead;
      this.#formerly.sent += up.bytesWritten;
      this.#up = undefined;
    });
    this.#up = up;
    return up;
  }

  #readAnswers(text: string): void {
    this.#answers += text;
    for (;;) {
      const end = this.#answers.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = this.#answers.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (!head.startsWith('HTTP/1.1 202') || Number.isNaN(length)) {
        throw new Error(`expected 202 with a length for each POST, got ${head.split('\r\n', 1)[0]}`);
      }
      if (this.#answers.length < end + 4 + length) return;
      this.#answers = this.#answers.slice(end + 4 + length);
      this.#isUnderWay = false;
      if (!this.#route.pipelined) this.#postOne();
    }
  }

  #read(chunk: Buffer): void {
    let data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    if (!this.#hasHead) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#rest = data;
        return;
      }
      this.#readHead(data.toString('latin1', 0, end));
      data = data.subarray(end + 4);
    }
    this.#lines(data);
    this.onRead();
  }

  #readHead(head: string): void {
    if (!head.startsWith('HTTP/1.1 200')) {
      throw new Error(`expected 200 for the stream, got ${head.split('\r\n', 1)[0]}`);
    }
    this.#hasHead = true;
    this.#upstream = `/haip/${/haip-upstream: (\S+)/i.exec(head)?.[1]}`;
  }

  #lines(data: Buffer): void {
    let at = 0;
    for (let end = data.indexOf(LINE_FEED); end !== -1; end = data.indexOf(LINE_FEED, at)) {
      if (this.#isEvents) {
        if (data[at + DATA - 2] === COLON && data[at + DATA] === BRACE) this.#event(data, at + DATA, end);
      } else if (data[at] === BRACE) this.onFrame(data, at, end);
      at = end + 1;
    }
    if (at < data.length) this.#rest = data.subarray(at);
  }

  /** The first one tells where POSTs go. */
  #event(data: Buffer, from: number, to: number): void {
    if (this.#hai === '') return this.onFrame(data, from, to);
    this.#upstream = `/haip/${JSON.parse(data.toString('utf8', from, to)).upstream}`;
    const hai = this.#hai;
    this.#hai = '';
    this.write([hai]);
  }
}
