// A link that keeps order, as a WebSocket does, on the virtual network: both ends are a Connection. What one end sends
// the other decodes once, from the text. Whoever holds the link slows it, silences a way, or cuts it. Spec: §7.

import {
  type CloseCode,
  type CodecLimits,
  type Connection,
  type ConnectionEnd,
  type ConnectionSupports,
  decode,
  decodeFromServer,
  type Envelope,
  Fault,
  type Frame,
  type Incoming,
} from '@haip/protocol';
import { Pipe, type PipeOptions } from './pipe.ts';
import type { Host } from './world.ts';

/** Which way: `up` is from the client to the server. */
export type Way = 'up' | 'down';

type Parcel =
  | { readonly kind: 'frame'; readonly text: string; readonly bytes: Uint8Array | undefined; readonly size: number }
  | { readonly kind: 'close'; readonly end: ConnectionEnd; readonly size: 0 }
  | { readonly kind: 'probe' | 'alive'; readonly size: 0 };

export interface LinkOptions extends PipeOptions {
  readonly client: Host;
  readonly server: Host;
  readonly binary: boolean;
  /** Caps for what the server reads. */
  readonly serverLimits: CodecLimits;
  /** Told of each envelope as an end reads it. */
  readonly heard?: ((way: Way, envelope: Envelope, link: SimulatedLink) => void) | undefined;
  /** Told how each end ended. */
  readonly ended?: ((side: 'client' | 'server', code: number, link: SimulatedLink) => void) | undefined;
}

/** The hold that faults have on a link. */
export interface LinkHold {
  /** The end is over for that side. */
  isOver(side: 'client' | 'server'): boolean;
  /**
   * Cuts it. Of what is under way each way, the first `kept` frames still arrive: the next one was cut in its middle.
   * With `side` only that end learns; the other one is half-open.
   */
  cut(kept: number, side?: 'client' | 'server'): void;
  /** From now on what goes this way is lost without a sign. */
  mute(way: Way): void;
  /** Nothing arrives this way until {@link resume}; the writer is made to wait past the high-water mark. */
  stall(way: Way): void;
  resume(way: Way): void;
}

/** A link between a client and a node. */
export interface SimulatedLink extends LinkHold {
  readonly client: Connection;
  readonly server: Connection;
}

/** Makes a link: {@link orderedLink}, or one for another kind of transport. */
export type LinkFactory = (options: LinkOptions) => SimulatedLink;

const cutEnd: ConnectionEnd = { code: 1006, reason: 'cut' };

class End implements Connection {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  over = false;
  /** The pipe it writes to, and the one it reads from; set before anything is sent. */
  out!: Pipe<Parcel>;
  in!: Pipe<Parcel>;
  readonly #read: (parcel: Parcel & { kind: 'frame' }) => Incoming;
  readonly #ended: (code: number) => void;
  readonly #resolveClosed: (end: ConnectionEnd) => void;
  #inbox: Incoming[] = [];
  #wake: (() => void) | undefined;

  constructor(binary: boolean, read: (parcel: Parcel & { kind: 'frame' }) => Incoming, ended: (code: number) => void) {
    const { promise, resolve } = Promise.withResolvers<ConnectionEnd>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#read = read;
    this.#ended = ended;
    this.supports = { binary, pause: true };
  }

  send({ text, bytes }: Frame): void | Promise<void> {
    if (this.over) return;
    return this.out.write({ kind: 'frame', text, bytes, size: Buffer.byteLength(text) + (bytes?.length ?? 0) });
  }

  probe(): void {
    if (!this.over) void this.out.write({ kind: 'probe', size: 0 });
  }

  close(code: CloseCode, reason = '', retryAfterMs?: number): void {
    if (this.over) return;
    const end: ConnectionEnd = retryAfterMs === undefined ? { code, reason } : { code, reason, retryAfterMs };
    void this.out.write({ kind: 'close', end, size: 0 });
    this.end(end);
  }

  end(end: ConnectionEnd): void {
    if (this.over) return;
    this.over = true;
    this.in.shut(0);
    this.#ended(end.code);
    this.#resolveClosed(end);
    this.#wake?.();
  }

  receive(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) {
      if (this.over) return;
      this.heard++;
      if (parcel.kind === 'frame') this.#inbox.push(this.#read(parcel));
      else if (parcel.kind === 'probe') void this.out.write({ kind: 'alive', size: 0 });
      else if (parcel.kind === 'close') {
        this.end(parcel.end);
        this.out.shut(0);
      }
    }
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Incoming[]> {
    for (;;) {
      if (this.#inbox.length > 0) {
        const batch = this.#inbox;
        this.#inbox = [];
        yield batch;
      } else if (this.over) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function paired(envelope: Envelope | Fault, bytes: Uint8Array | undefined, size: number): Incoming {
  if (envelope instanceof Fault) return envelope;
  if (envelope.bin_len !== bytes?.length) {
    const relatedId = envelope.id;
    return new Fault('PROTOCOL_VIOLATION', { expected: 'bytes as long as bin_len says', relatedId, close: 1003 });
  }
  return bytes === undefined ? { envelope, size } : { envelope, bytes, size };
}

/** A link as a WebSocket gives it. */
export const orderedLink: LinkFactory = (options) => {
  const told = (way: Way, incoming: Incoming): Incoming => {
    if (!(incoming instanceof Fault)) options.heard?.(way, incoming.envelope, link);
    return incoming;
  };
  const client = new End(
    options.binary,
    ({ text, bytes, size }) => told('down', paired(decodeFromServer(text), bytes, size)),
    (code) => options.ended?.('client', code, link),
  );
  const server = new End(
    options.binary,
    ({ text, bytes, size }) =>
      told('up', paired(decode(text, options.serverLimits, size - (bytes?.length ?? 0)), bytes, size)),
    (code) => options.ended?.('server', code, link),
  );
  const up = new Pipe<Parcel>(options.server, options, (parcels) => server.receive(parcels));
  const down = new Pipe<Parcel>(options.client, options, (parcels) => client.receive(parcels));
  client.out = server.in = up;
  client.in = server.out = down;
  const pipe = (way: Way): Pipe<Parcel> => (way === 'up' ? up : down);
  const link: SimulatedLink = {
    client,
    server,
    isOver: (side) => (side === 'client' ? client : server).over,
    cut(kept, side) {
      up.shut(kept);
      down.shut(kept);
      // On the host's own time: one that stalls learns later, one that is dead never.
      if (side !== 'server') options.client.after(0, () => client.end(cutEnd));
      if (side !== 'client') options.server.after(0, () => server.end(cutEnd));
    },
    mute: (way) => pipe(way).mute(),
    stall: (way) => pipe(way).stall(),
    resume: (way) => pipe(way).resume(),
  };
  return link;
};
