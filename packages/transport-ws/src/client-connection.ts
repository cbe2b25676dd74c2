// The client's end of one WebSocket, as the standard has it. Never dials and never judges an envelope. All that a browser
// loads, so it stays small; what Node's can do beyond it is in node-connection.ts. Spec: §7.

import {
  type CloseCode,
  type Connection,
  type ConnectionEnd,
  type ConnectionSupports,
  decodeFromServer,
  Fault,
  type Frame,
  type Incoming,
  type Received,
} from '@haip/protocol';
import type { ClientSocket } from './client-socket.ts';
import { readClose } from './close-reason.ts';

const open = 1;
const highWaterBytes = 262_144;
const drainCheckMs = 20;
const closeTimeoutMs = 3000;

export class ClientConnection<Socket extends ClientSocket = ClientSocket> implements Connection {
  readonly supports: ConnectionSupports = { binary: true, pause: false };
  declare readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  declare readonly socket: Socket;
  /** How it ended, once that is known. */
  protected end?: ConnectionEnd;
  /** What came and was not taken yet. */
  #batch: Incoming[] = [];
  /** Wakes whoever waits for a batch or the end. */
  #wake = () => {};
  /** The envelope whose bytes come next. */
  #pending: Received | undefined;
  #tellClosed: ((end: ConnectionEnd) => void) | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #drained: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      this.heard++;
      if (!this.end) this.take(data as string | ArrayBuffer);
    };
    socket.onclose = ({ code, reason }) => this.#finish(readClose(code, reason));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[], void, undefined> {
    while (this.#batch.length > 0 || this.#tellClosed) {
      const batch = this.#batch;
      if (batch.length === 0) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      } else {
        this.#batch = [];
        yield batch;
      }
    }
  }

  #put(incoming: Incoming): void {
    this.#batch.push(incoming);
    this.#wake();
  }

  /** Text is an envelope, and one with `bin_len` takes the binary message right behind it as its bytes, or is lost. */
  protected take(message: string | ArrayBuffer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (typeof message !== 'string' && pending?.envelope.bin_len === message.byteLength) {
      return this.#put({ ...pending, bytes: new Uint8Array(message), size: pending.size + message.byteLength });
    }
    if (pending || typeof message !== 'string') {
      const { bin_len = 'no', id: relatedId } = pending?.envelope ?? {};
      this.#put(new Fault('PROTOCOL_VIOLATION', { expected: `${bin_len} bytes`, relatedId }));
    }
    if (typeof message !== 'string') return;
    const envelope = decodeFromServer(message);
    if (envelope instanceof Fault) return this.#put(envelope);
    const received = { envelope, size: new TextEncoder().encode(message).length };
    if (envelope.bin_len === undefined) this.#put(received);
    else this.#pending = received;
  }

  send({ text, bytes }: Frame): void | Promise<void> {
    if (this.end) return undefined;
    this.socket.send(text);
    if (bytes) this.socket.send(bytes);
    if (this.#isFull()) this.#drained ??= this.#drain();
    return this.#drained;
  }

  /** A page has no ping. */
  probe(): void {}

  /** A client's reason is cut to 40 characters, and it asks for no delay. */
  close(code: CloseCode, reason = ''): void {
    if (this.end) return;
    this.end = { code, reason };
    // 40 characters fit into the 123 bytes of a close frame, whatever they are.
    this.shut(code, reason.slice(0, 40));
    this.#closeTimer = setTimeout(() => this.abandon(), code === 1006 ? 0 : closeTimeoutMs);
  }

  /** A page may name 1000 and its own codes, nothing in between, and can not cut a link. */
  protected shut(code: CloseCode, reason: string): void {
    this.socket.close(code < 3000 ? 1000 : code, reason);
  }

  /** The peer did not answer the close. */
  protected abandon(): void {
    this.#finish();
  }

  #isFull(): boolean {
    return this.socket.readyState === open && this.socket.bufferedAmount >= highWaterBytes;
  }

  /** Looks now and then: a WebSocket has no event for this. */
  async #drain(): Promise<void> {
    while (this.#isFull()) await new Promise((resolve) => setTimeout(resolve, drainCheckMs));
    this.#drained = undefined;
  }

  #finish(end?: ConnectionEnd): void {
    clearTimeout(this.#closeTimer);
    this.end ??= end as ConnectionEnd;
    this.#tellClosed?.(this.end);
    this.#tellClosed = undefined;
    this.#wake();
  }
}
