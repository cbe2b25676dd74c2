// The server's end of one WebSocket. Reading is ws's; writing whole frames goes to the socket beside ws, one write for
// all that was sent in a turn of the event loop, which holds as long as compression is off: ws then writes whole frames
// too. Never judges an envelope, and ends the connection only when told to or when ws does. Spec: §7.

import type { Socket } from 'node:net';
import type {
  CloseCode,
  CodecLimits,
  Connection,
  ConnectionEnd,
  ConnectionSupports,
  Frame,
  Incoming,
} from '@haip/protocol';
import { WebSocket } from 'ws';
import { readClose, writeCloseReason } from './close-reason.ts';
import { FramePairing } from './frame-pairing.ts';
import { Inbox, type InboxOwner } from './inbox.ts';
import { frameMessages } from './server-frames.ts';
import { failureOf } from './socket-failure.ts';

/** What a connection is told of limits; all of it the same for every connection of a server. */
export interface ServerConnectionOptions {
  readonly supports: ConnectionSupports & { readonly limits: CodecLimits };
  readonly highWaterBytes: number;
  readonly readAheadBytes: number;
}

/**
 * What Node's socket writes through. Its own `bytesWritten` counts what only waits in it, and `writableLength` all of a
 * large write until the last byte is gone; Node tells a socket that times out from a slow one by these two as well.
 */
interface SocketHandle {
  /** Handed to the system's queue so far. */
  readonly bytesWritten: number;
  /** Of that, what the system has not taken. */
  readonly writeQueueSize: number;
}

/** A WebSocket that knows its connection, so that its listeners are the same few functions for all of them. */
export class PeerSocket extends WebSocket {
  connection: ServerConnection | undefined;
}

const now = Promise.resolve();

export class ServerConnection implements Connection, InboxOwner {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  readonly #ws: PeerSocket;
  readonly #socket: Socket;
  readonly #inbox: Inbox;
  readonly #pairing: FramePairing;
  readonly #highWaterBytes: number;
  #tellClosed!: (end: ConnectionEnd) => void;
  /** Why it ends, as soon as that is decided. Nothing is taken or sent from then on. */
  #end: ConnectionEnd | undefined;
  #queue: Frame[] = [];
  #queuedBytes = 0;
  /** For a consumer that waits for something while it has a batch in hand. Most never do. */
  #flushUnlessTaken: (() => void) | undefined;
  #drained: Promise<void> | undefined;
  #tellDrained: (() => void) | undefined;
  #written = 0;

  constructor(ws: PeerSocket, socket: Socket, options: ServerConnectionOptions) {
    this.supports = options.supports;
    this.#ws = ws;
    this.#socket = socket;
    this.#inbox = new Inbox(options.readAheadBytes, this);
    this.#pairing = new FramePairing(this.#inbox, options.supports.limits);
    // `drain` comes only after the socket's own mark was passed.
    this.#highWaterBytes = Math.max(options.highWaterBytes, socket.writableHighWaterMark);
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    ws.connection = this;
    ws.on('message', onMessage).on('error', onError).on('close', onClose);
  }

  /** Counted in bytes, not messages: a large one that comes slowly is life too. */
  get heard(): number {
    return this.#socket.bytesRead;
  }

  get written(): number {
    const { _handle: handle } = this.#socket as Socket & { readonly _handle?: SocketHandle | null };
    // The handle is gone once the link is.
    if (handle) this.#written = handle.bytesWritten - handle.writeQueueSize;
    return this.#written;
  }

  get unsent(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  [Symbol.asyncIterator](): AsyncIterator<Incoming[]> {
    return this.#inbox;
  }

  send(frame: Frame): void | Promise<void> {
    if (this.#end) return undefined;
    if (this.#queue.push(frame) === 1) this.#flushSoon();
    this.#queuedBytes += frame.text.length + (frame.bytes?.length ?? 0);
    if (this.#queuedBytes >= this.#highWaterBytes) this.flush();
    return this.#socket.writableLength < this.#highWaterBytes ? undefined : this.#whenDrained();
  }

  /** All that is sent in a turn of the event loop leaves together, and what answers a batch as soon as that is taken. */
  #flushSoon(): void {
    if (this.#inbox.isBeingTaken) {
      this.#flushUnlessTaken ??= () => this.#inbox.isBeingTaken && flushAtEndOfTurn(this);
      void now.then(this.#flushUnlessTaken);
    } else {
      flushAtEndOfTurn(this);
    }
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  taken(): void {
    this.flush();
  }

  probe(): void {
    if (this.#end) return;
    this.flush();
    this.#ws.ping();
  }

  close(code: CloseCode, reason = '', retryAfterMs?: number): void {
    if (this.#end) return;
    this.flush();
    this.#end = { code, reason, retryAfterMs };
    if (code === 1006) this.#ws.terminate();
    else this.#ws.close(code, writeCloseReason(reason, retryAfterMs));
    // A paused socket would not see the peer's answer to the close.
    this.#ws.resume();
  }

  /** Writes what is queued. */
  flush(): void {
    const frames = this.#queue;
    if (frames.length === 0) return;
    this.#queue = [];
    this.#queuedBytes = 0;
    // After a close frame, which ws writes as soon as the peer's comes, nothing may follow.
    if (this.#ws.readyState === WebSocket.OPEN) this.#socket.write(frameMessages(frames));
  }

  /** Takes a message from ws. */
  take(message: Buffer, isBinary: boolean): void {
    if (this.#end) return;
    if (isBinary) this.#pairing.binary(message);
    else this.#pairing.text(message.toString(), message.length);
  }

  /** The link is broken; ws closes it. */
  fail(end: ConnectionEnd): void {
    this.#end ??= end;
  }

  /** The link is gone. */
  finish(code: number, reason: string): void {
    this.#end ??= readClose(code, reason);
    this.#queue = [];
    this.#inbox.end();
    this.#tellDrained?.();
    this.#tellClosed(this.#end);
  }

  #whenDrained(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#tellDrained = () => {
        this.#drained = undefined;
        this.#tellDrained = undefined;
        resolve();
      };
      this.#socket.once('drain', () => this.#tellDrained?.());
    });
    return this.#drained;
  }
}

/** Those that have something to write at the end of this turn. One tick for all: each costs a microsecond. */
const due: ServerConnection[] = [];

function flushAtEndOfTurn(connection: ServerConnection): void {
  // Called from a promise's continuation, nextTick runs when no more of these wait: at the end of the turn.
  if (due.push(connection) === 1) process.nextTick(flushDue);
}

function flushDue(): void {
  let next = 0;
  try {
    // Grows while it is gone through.
    for (; next < due.length; next++) (due[next] as ServerConnection).flush();
  } catch {
    // A frame that cannot be written costs its own connection.
    (due[next] as ServerConnection).close(1011, 'a frame could not be written');
  } finally {
    due.splice(0, next + 1);
    // Whatever one of them threw, the others are written.
    if (due.length > 0) process.nextTick(flushDue);
  }
}

function onMessage(this: WebSocket, message: WebSocket.RawData, isBinary: boolean): void {
  (this as PeerSocket).connection?.take(message as Buffer, isBinary);
}

function onError(this: WebSocket, error: Error & { code?: string }): void {
  (this as PeerSocket).connection?.fail(failureOf(error));
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  (this as PeerSocket).connection?.finish(code, reason.toString());
}
