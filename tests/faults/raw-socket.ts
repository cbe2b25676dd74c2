// A WebSocket client made of bytes, which can write what no library would.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const upgrade = [
  'GET /haip/websocket HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
].join('\r\n');

export const upgradeRequest: string = `${upgrade}\r\n\r\n`;
export const upgradeOfferingDeflate: string = `${upgrade}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n`;

export interface RawSocket {
  readonly socket: Socket;
  /** Resolves with the close code that the server wrote last, 0 for none, when the socket has ended. */
  readonly closeCode: Promise<number>;
}

/** Opens a socket; `text` is written at once. */
export async function openRaw(port: number, text: string): Promise<RawSocket> {
  const socket = connect(port, '127.0.0.1');
  let tail: Buffer = Buffer.alloc(0);
  socket.setNoDelay();
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-4096);
  });
  const closed = new Promise((resolve) => void socket.once('close', resolve));
  const closeCode = closed.then(() => {
    const at = tail.lastIndexOf(0x88);
    return at === -1 || at + 4 > tail.length ? 0 : tail.readUInt16BE(at + 2);
  });
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, closeCode };
}

/** Opens a WebSocket; resolves when the server has answered. */
export async function openUpgraded(port: number, request: string = upgradeRequest): Promise<RawSocket> {
  const raw = await openRaw(port, request);
  await Promise.race([once(raw.socket, 'data'), raw.closeCode]);
  return raw;
}

/** The head of a frame as a client writes it, masked by zeros, so that its payload stands as it is. */
export function frameHead(first: number, length: number): Buffer {
  const head = Buffer.alloc(length < 126 ? 6 : 14);
  head[0] = first;
  head[1] = 0x80 | (length < 126 ? length : 127);
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

export function frame(first: number, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload as string);
  return Buffer.concat([frameHead(first, body.length), body]);
}
