// What a transport law is given, and the small things all of them need. Waits for events only, never for time.

import {
  type Connection,
  type ConnectionEnd,
  type ConnectionSupports,
  decode,
  type Envelope,
  encode,
  Fault,
  type Frame,
  type Incoming,
  type Received,
  type Transport,
} from '@haip/protocol';
import { expect } from 'vitest';
import { settle } from '../settle.ts';

/** A transport and the server it reaches, as the suite's `open` gives them. Each law gets one of its own. */
export interface OpenTransport {
  readonly transport: Transport;
  /** The server's end of the next connection that was accepted, in order. */
  accepted(): Promise<Connection>;
  /** Breaks every link without a word, as a pulled plug does. */
  cut(): void;
  /** From now on dials fail, as when nobody listens. What is open stays open. */
  refuse(): void | Promise<void>;
  /** How many links the server's side holds. */
  open(): number;
  /** Ends all of it. */
  close(): void | Promise<void>;
}

/** What a transport can do, as data. */
export interface TransportSupports extends ConnectionSupports {
  /** `probe` on the client's end makes the link answer. False for browsers, which can not ping. */
  readonly clientProbe: boolean;
  /** The server's end says how much of what it sent the link has taken. */
  readonly progress: boolean;
}

export interface TransportLaw {
  readonly name: string;
  /** Whether the law is meant for such a transport. Absent: for all. */
  readonly needs?: (supports: TransportSupports) => boolean;
  run(open: OpenTransport): Promise<void>;
}

export interface Ends {
  readonly client: Connection;
  readonly server: Connection;
}

/** One dialled connection, both ends of it. */
export async function connect(open: OpenTransport): Promise<Ends> {
  const accepted = open.accepted();
  const client = await open.transport.dial({}, new AbortController().signal);
  return { client, server: await accepted };
}

/** Both ways, so that a law is run once with each end as the sender. */
export function directions({ client, server }: Ends): readonly (readonly [from: Connection, to: Connection])[] {
  return [
    [client, server],
    [server, client],
  ];
}

let ids = 0;

/** An envelope that is in order, with anything in it that a law wants. */
export function envelope(fields: Partial<Envelope> = {}): Envelope {
  return {
    id: `law-${++ids}`,
    transaction: null,
    session: 'somebody',
    seq: '1',
    ts: '1755187354681',
    channel: 'USER',
    type: 'MESSAGE',
    payload: 'hello',
    ...fields,
  };
}

export function frameOf(message: Envelope, bytes?: Uint8Array): Frame {
  return bytes === undefined
    ? { text: encode(message), shared: false }
    : { text: encode({ ...message, bin_len: bytes.length }), bytes, shared: false };
}

/** An envelope whose text has exactly so many UTF-8 bytes, most of them in characters of two. */
export function frameOfSize(bytes: number): Frame {
  const empty = encode(envelope({ payload: '' })).length;
  const rest = bytes - empty;
  const message = envelope({ payload: `${'é'.repeat(Math.floor(rest / 2))}${'e'.repeat(rest % 2)}` });
  const text = encode(message);
  const excess = new TextEncoder().encode(text).length - bytes;
  return { text: excess === 0 ? text : text.replace('é'.repeat(excess), 'e'.repeat(excess)), shared: false };
}

/** What a connection brings, gathered from the moment this is made. */
export class Gathered {
  readonly items: Incoming[] = [];
  /** Resolves when the iteration is over. */
  readonly over: Promise<void>;
  #wake: (() => void) | undefined;

  constructor(connection: Connection) {
    this.over = this.#gather(connection);
  }

  /** The first `count` things that came, envelopes and faults alike. */
  async first(count: number): Promise<readonly Incoming[]> {
    while (this.items.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.items.slice(0, count);
  }

  /** The first `count`, all of which must be envelopes. */
  async messages(count: number): Promise<readonly Received[]> {
    const items = await this.first(count);
    for (const item of items) expect(item).not.toBeInstanceOf(Fault);
    return items as readonly Received[];
  }

  async #gather(connection: Connection): Promise<void> {
    for await (const batch of connection) {
      expect(batch.length).toBeGreaterThan(0);
      this.items.push(...batch);
      this.#wake?.();
    }
  }
}

export function idsOf(items: readonly Received[]): string[] {
  return items.map((item) => item.envelope.id);
}

/** Waits until something is so, a turn of the event loop at a time. The test's own time limit ends it. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settle(1);
}

/** What the text stands for, as the codec reads it. */
export function meaningOf(frame: Frame): Envelope {
  const read = decode(frame.text);
  if (read instanceof Fault) throw new Error(`a law made a frame that is none: ${read.expected}`);
  return read;
}

export function endOf(connection: Connection): Promise<ConnectionEnd> {
  return connection.closed;
}
