// Two connections joined in memory. What one end sends the other decodes from text, as from any wire, so both see
// what a wire would bring. A test may slow the link, hold it, silence one way, or cut it. Spec: §7.

import {
  type Clock,
  type CloseCode,
  type CodecLimits,
  type Connection,
  type ConnectionEnd,
  type ConnectionSupports,
  decode,
  decodeFromServer,
  decodeWithBase64,
  defaultCodecLimits,
  type Envelope,
  Fault,
  type Frame,
  type Incoming,
  longestText,
} from '@haip/protocol';
import { MemoryPipe, type Parcel } from './memory-pipe.ts';

export interface MemoryLinkOptions {
  /** How long anything takes, each way, in ms. Default 0: it arrives in a microtask. More than 0 needs a `clock`. */
  readonly latencyMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** What may be underway or unread before `send` makes its caller wait. Default 65,536 bytes. */
  readonly highWaterBytes?: number | undefined;
  /** Whether raw bytes may travel beside the text. Default true. */
  readonly binary?: boolean | undefined;
  /** Caps for what the client reads. Default: the codec's. */
  readonly clientLimits?: CodecLimits | undefined;
  /** Caps for what the server reads. Default: the codec's. */
  readonly serverLimits?: CodecLimits | undefined;
}

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down';

export interface MemoryLink {
  readonly client: Connection;
  readonly server: Connection;
  /**
   * Cuts the link: what is underway is lost and the ends learn 1006. With `side` only that end learns; the other
   * one is half-open and speaks to nobody.
   */
  cut(side?: 'client' | 'server'): void;
  /** From now on what goes this way is lost without a sign: a one-way black hole. */
  mute(direction: Direction): void;
  /** Holds what goes this way, and makes its writer wait past the high-water mark, until {@link resume}. */
  stall(direction: Direction): void;
  resume(direction: Direction): void;
  /** Lets the first `count` messages of a stalled way through, and no more: a link that is slow, not stuck. */
  trickle(direction: Direction, count: number): void;
  /** Bytes written each way, those that were lost included. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** False once both ends have ended. */
  readonly open: boolean;
}

const encoder = new TextEncoder();
const cutEnd: ConnectionEnd = { code: 1006, reason: 'cut' };

type Decode = (text: string, limits: CodecLimits, size: number) => Envelope | Fault;

class MemoryEnd implements Connection {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  ended = false;
  /** Where it writes, and where what it reads came through; set before anything is sent. */
  out!: MemoryPipe;
  in!: MemoryPipe;
  readonly #limits: CodecLimits;
  readonly #decode: Decode;
  readonly #resolveClosed: (end: ConnectionEnd) => void;
  #inbox: Incoming[] = [];
  #unread = 0;
  #wake: (() => void) | undefined;
  #iterated = false;

  constructor(limits: CodecLimits, decodeText: Decode, binary: boolean) {
    const { promise, resolve } = Promise.withResolvers<ConnectionEnd>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#limits = limits;
    this.#decode = decodeText;
    this.supports = { binary, pause: true, limits };
  }

  get written(): number {
    return this.out.gone;
  }

  send({ text, bytes }: Frame): void | Promise<void> {
    if (this.ended) return;
    if (bytes !== undefined && !this.supports.binary) throw new TypeError('bytes: this link carries text only');
    // The bytes are copied as a wire would: what the sender does to its buffer later changes nothing here.
    const size = encoder.encode(text).length + (bytes?.length ?? 0);
    return this.out.write({ kind: 'frame', text, bytes: bytes?.slice(), size });
  }

  probe(): void {
    if (!this.ended) void this.out.write({ kind: 'probe', size: 0 });
  }

  close(code: CloseCode, reason = '', retryAfterMs?: number): void {
    if (this.ended) return;
    const end: ConnectionEnd = retryAfterMs === undefined ? { code, reason } : { code, reason, retryAfterMs };
    void this.out.write({ kind: 'close', end, size: 0 });
    this.end(end);
  }

  /** The link is gone for this end. */
  end(end: ConnectionEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.in.shut();
    this.#resolveClosed(end);
    this.#wake?.();
  }

  receive(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      if (this.ended) return;
      this.heard++;
      if (parcel.kind === 'frame') {
        this.#inbox.push(this.#read(parcel));
        this.#unread += parcel.size;
      } else if (parcel.kind === 'probe') {
        void this.out.write({ kind: 'alive', size: 0 });
      } else if (parcel.kind === 'close') {
        this.end(parcel.end);
        this.out.shut();
      }
    }
    this.#wake?.();
  }

  #read({ text, bytes, size }: Parcel & { kind: 'frame' }): Incoming {
    const longest = this.supports.binary ? this.#limits.maxTextBytes : longestText(this.#limits);
    const textSize = size - (bytes?.length ?? 0);
    if (textSize > longest) {
      return new Fault('MESSAGE_TOO_LARGE', { expected: `at most ${longest} bytes`, close: 1009 });
    }
    const envelope = this.#decode(text, this.#limits, textSize);
    if (envelope instanceof Fault) return envelope;
    if (envelope.bin_len !== bytes?.length) {
      return new Fault('PROTOCOL_VIOLATION', {
        expected: `bin_len: ${bytes === undefined ? 'absent, as no bytes followed' : 'the length of the bytes'}`,
        got: String(envelope.bin_len),
        relatedId: envelope.id,
        transaction: envelope.transaction,
      });
    }
    return bytes === undefined ? { envelope, size } : { envelope, bytes, size };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[]> {
    if (this.#iterated) throw new Error('A connection is iterated once.');
    this.#iterated = true;
    while (true) {
      if (this.#inbox.length > 0) {
        const batch = this.#inbox;
        this.in.taken(this.#unread);
        this.#inbox = [];
        this.#unread = 0;
        yield batch;
      } else if (this.ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** Two connected ends in memory, and the hold a test has on what is between them. */
export function memoryLink(options: MemoryLinkOptions = {}): MemoryLink {
  const { latencyMs = 0, clock, highWaterBytes = 65_536, binary = true } = options;
  if (latencyMs > 0 && clock === undefined) throw new TypeError('latencyMs: expected a clock to measure it by');
  const { clientLimits = defaultCodecLimits, serverLimits = defaultCodecLimits } = options;
  const client = new MemoryEnd(clientLimits, decodeFromServer, binary);
  const server = new MemoryEnd(serverLimits, binary ? decode : decodeWithBase64, binary);
  const up = new MemoryPipe({ clock, latencyMs, highWaterBytes }, (parcels) => server.receive(parcels));
  const down = new MemoryPipe({ clock, latencyMs, highWaterBytes }, (parcels) => client.receive(parcels));
  client.out = server.in = up;
  client.in = server.out = down;
  const pipe = (direction: Direction): MemoryPipe => (direction === 'up' ? up : down);

  return {
    client,
    server,
    cut(side) {
      up.shut();
      down.shut();
      if (side !== 'server') client.end(cutEnd);
      if (side !== 'client') server.end(cutEnd);
    },
    mute: (direction) => pipe(direction).mute(),
    stall: (direction) => pipe(direction).stall(),
    resume: (direction) => pipe(direction).resume(),
    trickle: (direction, count) => pipe(direction).trickle(count),
    get bytes() {
      return { up: up.bytes, down: down.bytes };
    },
    get open() {
      return !client.ended || !server.ended;
    },
  };
}
