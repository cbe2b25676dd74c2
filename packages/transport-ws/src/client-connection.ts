// The client's end of one WebSocket, over the platform's own or that of ws. Never dials and never judges an envelope.
// Part of what a browser loads: it stays small. Spec: §7.

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
import { closeSocket, failureOfEvent } from '#socket';
import type { ClientSocket } from './client-socket.ts';
import { readClose } from './close-reason.ts';

const open = 1;
const highWaterBytes = 262_144;
const readAheadBytes = 262_144;
const drainCheckMs = 20;
const closeTimeoutMs = 3000;

export class ClientConnection implements Connection {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  readonly #socket: ClientSocket;
  /** What came and was not taken yet. */
  #batch: Incoming[] = [];
  #batchBytes = 0;
  /** Wakes whoever waits for a batch or the end. */
  #wake = () => {};
  /** The envelope whose bytes come next. */
  #pending: Received | undefined;
  #tellClosed: ((end: ConnectionEnd) => void) | undefined;
  #end: ConnectionEnd | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #drained: Promise<void> | undefined;

  constructor(socket: ClientSocket) {
    this.supports = { binary: true, pause: socket.pause !== undefined };
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    const heard = () => {
      this.heard++;
    };
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      heard();
      if (this.#end) return;
      this.#take(data as string | ArrayBuffer);
    };
    socket.onerror = (event) => {
      this.#end ??= failureOfEvent(event);
    };
    socket.onclose = ({ code, reason }) => this.#finish(readClose(code, reason));
    socket.on?.('ping', heard);
    socket.on?.('pong', heard);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Incoming[], void, undefined> {
    while (this.#batch.length > 0 || this.#tellClosed) {
      const batch = this.#batch;
      if (batch.length === 0) {
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
      } else {
        this.#batch = [];
        this.#batchBytes = 0;
        this.#socket.resume?.();
        yield batch;
      }
    }
  }

  /** Holds what came for the consumer; where the socket can, too much of it makes the peer wait. */
  #put(incoming: Incoming, size: number): void {
    this.#batch.push(incoming);
    this.#batchBytes += size;
    if (this.#batchBytes >= readAheadBytes) this.#socket.pause?.();
    this.#wake();
  }

  /** Text is an envelope, and one with `bin_len` takes the binary message right behind it as its bytes, or is lost. */
  #take(message: string | ArrayBuffer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (typeof message !== 'string' && pending?.envelope.bin_len === message.byteLength) {
      const size = pending.size + message.byteLength;
      return this.#put({ ...pending, bytes: new Uint8Array(message), size }, size);
    }
    if (pending || typeof message !== 'string') {
      const expected = `${pending?.envelope.bin_len ?? 'no'} bytes`;
      this.#put(new Fault('PROTOCOL_VIOLATION', { expected, relatedId: pending?.envelope.id }), 0);
    }
    if (typeof message !== 'string') return;
    const envelope = decodeFromServer(message);
    const size = new TextEncoder().encode(message).length;
    if (envelope instanceof Fault) this.#put(envelope, size);
    else if (envelope.bin_len === undefined) this.#put({ envelope, size }, size);
    else this.#pending = { envelope, size };
  }

  send(frame: Frame): void | Promise<void> {
    if (this.#end) return undefined;
    this.#socket.send(frame.text);
    if (frame.bytes) this.#socket.send(frame.bytes);
    if (this.#isFull()) this.#drained ??= this.#drain();
    return this.#drained;
  }

  probe(): void {
    if (!this.#end) this.#socket.ping?.();
  }

  /** A client's reason is cut to 40 characters, and it asks for no delay. */
  close(code: CloseCode, reason = ''): void {
    if (this.#end) return;
    this.#end = { code, reason };
    // 40 characters fit into the 123 bytes of a close frame, whatever they are.
    closeSocket(this.#socket, code, reason.slice(0, 40));
    const abandon = () => {
      this.#socket.terminate?.();
      this.#finish();
    };
    this.#closeTimer = setTimeout(abandon, code === 1006 ? 0 : closeTimeoutMs);
    // A paused socket would not see the peer's answer to the close.
    this.#socket.resume?.();
  }

  #isFull(): boolean {
    return this.#socket.readyState === open && this.#socket.bufferedAmount >= highWaterBytes;
  }

  /** Looks now and then: a WebSocket has no event for this. */
  async #drain(): Promise<void> {
    while (this.#isFull()) await new Promise((resolve) => setTimeout(resolve, drainCheckMs));
    this.#drained = undefined;
  }

  #finish(end?: ConnectionEnd): void {
    clearTimeout(this.#closeTimer);
    this.#end ??= end as ConnectionEnd;
    this.#tellClosed?.(this.#end);
    this.#tellClosed = undefined;
    this.#wake();
  }
}
