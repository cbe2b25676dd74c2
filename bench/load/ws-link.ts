// A WebSocket as a raw socket: frames written with a zero mask, which changes no byte.

import { connect, type Socket } from 'node:net';
import type { Link } from './link.ts';

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** A masked text frame. */
function frame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 6 : 8;
  const buffer = Buffer.alloc(header + length);
  buffer[0] = 0x81;
  if (length < 126) buffer[1] = 0x80 | length;
  else {
    buffer[1] = 0x80 | 126;
    buffer.writeUInt16BE(length, 2);
  }
  buffer.write(text, header);
  return buffer;
}

/** Better no figure than one of fewer connections, or a wait without end. */
function lost(): never {
  throw new Error('the server ended a connection of the load');
}

export class WebSocketLink implements Link {
  onFrame: Link['onFrame'] = () => {};
  onRead: Link['onRead'] = () => {};
  readonly #socket: Socket;
  #hai = '';
  #rest: Buffer | undefined;
  #isOpen = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1', () => this.#socket.write(HANDSHAKE));
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', () => {}).on('close', lost);
  }

  open(hai: string): void {
    this.#hai = hai;
  }

  write(texts: readonly string[]): void {
    const frames = texts.map(frame);
    this.#socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames));
  }

  destroy(): void {
    this.#socket.off('close', lost).destroy();
  }

  get received(): number {
    return this.#socket.bytesRead;
  }

  get sent(): number {
    return this.#socket.bytesWritten;
  }

  #read(chunk: Buffer): void {
    let data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    if (!this.#isOpen) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#rest = data;
        return;
      }
      this.#isOpen = true;
      data = data.subarray(end + 4);
      this.write([this.#hai]);
    }
    this.#frames(data);
    this.onRead();
  }

  #frames(data: Buffer): void {
    let at = 0;
    while (data.length - at >= 2) {
      const short = (data[at + 1] as number) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < header) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      const to = at + header + length;
      if (to > data.length) break;
      if (data[at] === 0x81) this.onFrame(data, at + header, to);
      at = to;
    }
    if (at < data.length) this.#rest = data.subarray(at);
  }
}
