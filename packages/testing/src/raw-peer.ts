// A client with nothing of ours in it but the codec: says exactly what a test tells it to, and shows everything that
// comes back. Never retries, answers, or judges.

import {
  type Connection,
  type ConnectionEnd,
  type Envelope,
  encode,
  eventTypes,
  Fault,
  type Incoming,
  type JsonObject,
  protocolMajor,
  protocolVersion,
} from '@haip/protocol';

/** An envelope as it came, with its bytes. The payload is `any`: a test looks into it and fails where it is wrong. */
export interface RawEnvelope
  // biome-ignore lint/suspicious/noExplicitAny: a test reads payload fields without narrowing each first
  extends Envelope<string, any> {
  readonly bytes?: Uint8Array | undefined;
}

export interface RawPeer {
  readonly connection: Connection;
  /** Everything that came, in order. */
  readonly received: readonly RawEnvelope[];
  /** What came and was no envelope. */
  readonly faults: readonly Fault[];
  /** How the connection ended, once all that came before was read. */
  readonly closed: Promise<ConnectionEnd>;
  /** The session that the last HAI from the server named; empty before. */
  readonly session: string;
  /** Writes any text at all as one message. */
  sendText(text: string, bytes?: Uint8Array): void | Promise<void>;
  /**
   * Writes an envelope. What is left out is filled in: a fresh `id`, `transaction` null, the `session`, `ts` "0",
   * `channel` USER, `payload` {}, `bin_len` when there are bytes, and the next `seq` of this connection. A `seq` that
   * is given takes no number. Gives what was written.
   */
  send(fields: Partial<Envelope> & { readonly type: string }, bytes?: Uint8Array): Envelope;
  /** Sends HAI as a client of today would; `payload` is laid over it. Waits for the answer, HAI or ERROR. */
  hai(payload?: Record<string, unknown>): Promise<RawEnvelope>;
  /** The next envelope not yet taken by `next`, `expect` or `until`. Rejects when the connection ends first. */
  next(): Promise<RawEnvelope>;
  /** The next envelope, which must be of this type. */
  expect(type: string): Promise<RawEnvelope>;
  /** Takes envelopes until one of them fits, and gives that one. */
  until(fits: ((envelope: RawEnvelope) => boolean) | string): Promise<RawEnvelope>;
}

let peers = 0;

/** Reads a connection to its end and hands out what came, one after the other, to whoever asks. */
class Mailbox {
  readonly received: RawEnvelope[] = [];
  readonly faults: Fault[] = [];
  readonly closed: Promise<ConnectionEnd>;
  session = '';
  #taken = 0;
  #over: ConnectionEnd | undefined;
  #wake: (() => void)[] = [];

  constructor(connection: Connection) {
    this.closed = this.#readAll(connection);
  }

  /** @param wanted what the caller hopes for, to be named when the connection ends instead. */
  async next(wanted: string): Promise<RawEnvelope> {
    for (;;) {
      const envelope = this.received[this.#taken];
      if (envelope !== undefined) {
        this.#taken++;
        return envelope;
      }
      if (this.#over !== undefined) {
        const came = this.received.map(({ type }) => type).join(' ') || 'nothing';
        const { code, reason } = this.#over;
        throw new Error(`expected ${wanted}; the connection ended with ${code} "${reason}" after ${came}`);
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async #readAll(connection: Connection): Promise<ConnectionEnd> {
    for await (const batch of connection) {
      for (const incoming of batch) this.#take(incoming);
      this.#wakeAll();
    }
    this.#over = await connection.closed;
    this.#wakeAll();
    return this.#over;
  }

  #take(incoming: Incoming): void {
    if (incoming instanceof Fault) {
      this.faults.push(incoming);
      return;
    }
    const { envelope, bytes } = incoming;
    this.received.push(bytes === undefined ? envelope : { ...envelope, bytes });
    if (envelope.type === 'HAI') this.session = envelope.session;
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resume of waiting) resume();
  }
}

const haiPayload = {
  haip_version: protocolVersion,
  accept_major: [protocolMajor],
  accept_events: Object.keys(eventTypes),
  capabilities: { binary_frames: true, transaction_log: true },
};

/** A raw peer over any connection. It begins to read at once. */
export function rawPeer(connection: Connection): RawPeer {
  const mailbox = new Mailbox(connection);
  const name = `raw-${++peers}`;
  let seq = 0;
  let ids = 0;

  const peer: RawPeer = {
    connection,
    received: mailbox.received,
    faults: mailbox.faults,
    closed: mailbox.closed,
    get session() {
      return mailbox.session;
    },
    sendText: (text, bytes) => connection.send({ text, bytes, shared: false }),
    send(fields, bytes) {
      const envelope: Envelope = {
        id: `${name}-${++ids}`,
        transaction: null,
        session: mailbox.session,
        ts: '0',
        channel: 'USER',
        payload: {},
        ...(bytes === undefined ? {} : { bin_len: bytes.length }),
        ...fields,
        seq: fields.seq ?? String(++seq),
      };
      void peer.sendText(encode(envelope), bytes);
      return envelope;
    },
    hai(payload = {}) {
      const sent = peer.send({
        type: 'HAI',
        channel: 'SYSTEM',
        payload: { ...haiPayload, ...(payload as JsonObject) },
      });
      return peer.until(({ related_id, type }) => related_id === sent.id && (type === 'HAI' || type === 'ERROR'));
    },
    next: () => mailbox.next('an envelope'),
    async expect(type) {
      const envelope = await mailbox.next(type);
      if (envelope.type === type) return envelope;
      throw new Error(`expected ${type}, got ${envelope.type} ${JSON.stringify(envelope.payload)}`);
    },
    async until(fits) {
      const isWanted = typeof fits === 'string' ? ({ type }: RawEnvelope) => type === fits : fits;
      for (;;) {
        const envelope = await mailbox.next(typeof fits === 'string' ? fits : 'a certain envelope');
        if (isWanted(envelope)) return envelope;
      }
    },
  };
  return peer;
}
