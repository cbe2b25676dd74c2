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
import type { Host } from './world.ts';

/** Which way: `up` is from the client to the server. */
export type Way = 'up' | 'down';

type Parcel =
  | { readonly kind: 'frame'; readonly text: string; readonly bytes: Uint8Array | undefined; readonly size: number }
  | { readonly kind: 'close'; readonly end: ConnectionEnd; readonly size: 0 }
  | { readonly kind: 'probe' | 'alive'; readonly size: 0 };

export interface LinkOptions {
  readonly client: Host;
  readonly server: Host;
  /** How long the next parcel takes, in ms. */
  latencyMs(): number;
  /** What may be under way before `send` makes its caller wait, in bytes. */
  readonly highWaterBytes: number;
  readonly binary: boolean;
  /** Caps for what the server reads. */
  readonly serverLimits: CodecLimits;
  /** Told of each envelope as an end reads it. */
  readonly heard?: ((way: Way, envelope: Envelope, link: SimulatedLink) => void) | undefined;
  /** Told how each end ended. */
  readonly ended?: ((side: 'client' | 'server', code: number, link: SimulatedLink) => void) | undefined;
}

/** A link between a client and a node, and the hold that faults have on it. */
export interface SimulatedLink {
  readonly client: Connection;
  readonly server: Connection;
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

/** Makes a link: {@link orderedLink}, or one for another kind of transport. */
export type LinkFactory = (options: LinkOptions) => SimulatedLink;

const cutEnd: ConnectionEnd = { code: 1006, reason: 'cut' };

/** One direction: parcels in order, each in its time. */
class Pipe {
  readonly #receiver: Host;
  readonly #latencyMs: () => number;
  readonly #highWaterBytes: number;
  readonly #deliver: (parcels: Parcel[]) => void;
  #underWay: Parcel[] = [];
  #bytes = 0;
  #waiting: (() => void)[] | undefined;
  /** The arrival that is next: its moment, and how many parcels come with it. */
  #arrivals: { readonly at: number; count: number }[] = [];
  #lastAt = 0;
  state: 'flowing' | 'stalled' | 'muted' | 'shut' = 'flowing';

  constructor(receiver: Host, options: LinkOptions, deliver: (parcels: Parcel[]) => void) {
    this.#receiver = receiver;
    this.#latencyMs = options.latencyMs;
    this.#highWaterBytes = options.highWaterBytes;
    this.#deliver = deliver;
  }

  write(parcel: Parcel): void | Promise<void> {
    if (this.state === 'muted' || this.state === 'shut') return;
    this.#underWay.push(parcel);
    this.#bytes += parcel.size;
    const now = this.#receiver.clock.monotonic();
    const at = Math.max(this.#lastAt, now + this.#latencyMs());
    const last = this.#arrivals.at(-1);
    if (last?.at === at) last.count++;
    else {
      this.#arrivals.push({ at, count: 1 });
      this.#receiver.after(at - now, this.#arrive);
    }
    this.#lastAt = at;
    if (this.#bytes > this.#highWaterBytes) {
      return new Promise((resolve) => {
        this.#waiting ??= [];
        this.#waiting.push(resolve);
      });
    }
  }

  readonly #arrive = (): void => {
    if (this.state !== 'stalled') this.#take(this.#arrivals.shift()?.count ?? 0);
  };

  #take(count: number): void {
    if (count === 0) return;
    const parcels = this.#underWay.splice(0, count);
    for (const { size } of parcels) this.#bytes -= size;
    this.#deliver(parcels);
    if (this.#bytes <= this.#highWaterBytes) this.#release();
  }

  /** Nothing is taken any more. The first parcels under way arrive now, on the receiver's host, the rest never. */
  shut(kept: number): void {
    if (this.state === 'shut') return;
    const parcels = this.#underWay.slice(0, kept);
    this.#lose('shut');
    if (parcels.length > 0) this.#receiver.after(0, () => this.#deliver(parcels));
  }

  #lose(state: 'muted' | 'shut'): void {
    this.state = state;
    this.#underWay = [];
    this.#arrivals = [];
    this.#bytes = 0;
    this.#release();
  }

  mute(): void {
    if (this.state !== 'shut') this.#lose('muted');
  }

  stall(): void {
    if (this.state === 'flowing') this.state = 'stalled';
  }

  resume(): void {
    if (this.state !== 'stalled') return;
    this.state = 'flowing';
    const now = this.#receiver.clock.monotonic();
    // What was due meanwhile arrives at once; the events of what is not due yet are still to come.
    let late = 0;
    while ((this.#arrivals[0]?.at ?? Number.POSITIVE_INFINITY) <= now) late += this.#arrivals.shift()?.count ?? 0;
    this.#take(late);
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resume of waiting ?? []) resume();
  }
}

class End implements Connection {
  readonly supports: ConnectionSupports;
  readonly closed: Promise<ConnectionEnd>;
  heard = 0;
  over = false;
  /** The pipe it writes to, and the one it reads from; set before anything is sent. */
  out!: Pipe;
  in!: Pipe;
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

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Incoming[]> {
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
  const up = new Pipe(options.server, options, (parcels) => server.receive(parcels));
  const down = new Pipe(options.client, options, (parcels) => client.receive(parcels));
  client.out = server.in = up;
  client.in = server.out = down;
  const pipe = (way: Way): Pipe => (way === 'up' ? up : down);
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
