// The client's end of one WebSocket of ws, which can do more than the standard's: it pings, stops reading, cuts the link,
// and says what went wrong. Spec: §7.

import type { CloseCode, ConnectionSupports, Incoming } from '@haip/protocol';
import { ClientConnection } from './client-connection.ts';
import type { NodeSocket } from './client-socket.ts';
import { failureOf } from './socket-failure.ts';

const readAheadBytes = 262_144;

export class NodeConnection extends ClientConnection<NodeSocket> {
  override readonly supports: ConnectionSupports = { binary: true, pause: true };
  /** What was read and not taken yet. */
  #waitingBytes = 0;

  constructor(socket: NodeSocket) {
    super(socket);
    const heard = (): void => {
      this.heard++;
    };
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.onerror = ({ error }) => {
      this.end ??= failureOf(error);
    };
  }

  override async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[], void, undefined> {
    for await (const batch of super[Symbol.asyncIterator]()) {
      this.#waitingBytes = 0;
      this.socket.resume();
      yield batch;
    }
  }

  /** Too much that nobody takes makes the peer wait. */
  protected override take(message: string | ArrayBuffer): void {
    super.take(message);
    this.#waitingBytes += typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength;
    if (this.#waitingBytes >= readAheadBytes) this.socket.pause();
  }

  override probe(): void {
    if (!this.end) this.socket.ping();
  }

  override close(code: CloseCode, reason?: string): void {
    super.close(code, reason);
    // A paused socket would not see the peer's answer to the close.
    this.socket.resume();
  }

  /** 1006 says that a link was cut, and so it is. */
  protected override shut(code: CloseCode, reason: string): void {
    if (code === 1006) this.socket.terminate();
    else this.socket.close(code, reason);
  }

  protected override abandon(): void {
    this.socket.terminate();
    super.abandon();
  }
}
