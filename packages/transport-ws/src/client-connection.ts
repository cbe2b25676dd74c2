// The client's end of one WebSocket, over the platform's own or that of ws. Never dials and never judges an envelope.
// Part of what a browser loads: it stays small. Spec: §7.

import type {
  CloseCode,
  CodecLimits,
  Connection,
  ConnectionEnd,
  ConnectionSupports,
  Frame,
  Incoming,
} from '@haip/protocol';
import { closeSocket, failureOfEvent } from '#socket';
import type { ClientSocket } from './client-socket.ts';
import { readClose } from './close-reason.ts';
import { FramePairing } from './frame-pairing.ts';
import { Inbox, type PausableSource } from './inbox.ts';

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
  readonly #inbox: Inbox;
  readonly #pairing: FramePairing;
  #tellClosed!: (end: ConnectionEnd) => void;
  #end: ConnectionEnd | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  #drained: Promise<void> | undefined;

  constructor(socket: ClientSocket, limits: CodecLimits) {
    const source = socket.pause ? (socket as PausableSource) : undefined;
    this.supports = { binary: true, pause: source !== undefined };
    this.#socket = socket;
    this.#inbox = new Inbox(readAheadBytes, source);
    this.#pairing = new FramePairing(this.#inbox, { ...limits, lenientNumbers: true });
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
      if (typeof data === 'string') this.#pairing.text(data, new TextEncoder().encode(data).length);
      else this.#pairing.binary(new Uint8Array(data as ArrayBuffer));
    };
    socket.onerror = (event) => {
      this.#end ??= failureOfEvent(event);
    };
    socket.onclose = ({ code, reason }) => this.#finish(readClose(code, reason));
    socket.on?.('ping', heard);
    socket.on?.('pong', heard);
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly Incoming[]> {
    return this.#inbox;
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
    this.#inbox.end();
    this.#end ??= end as ConnectionEnd;
    this.#tellClosed(this.#end);
  }
}
