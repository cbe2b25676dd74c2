// A server that says what a test tells it to: nothing of ours in it but the codec. Each connection is a raw peer.

import { type Connection, type Envelope, encode } from '@haip/protocol';
import { fakeClock, type MemoryTransportOptions, memoryTransport, type RawEnvelope, rawPeer } from '@haip/testing';
import { type ClientOptions, HAIPClient } from '../src/index.ts';

type Fields = Partial<Envelope> & { readonly type: string };

/** The server's end of one connection. */
export class ServerPeer {
  readonly raw: ReturnType<typeof rawPeer>;
  #ids = 0;

  constructor(connection: Connection) {
    this.raw = rawPeer(connection);
  }

  get received(): readonly RawEnvelope[] {
    return this.raw.received;
  }

  /** The types of what came, HAI included. */
  get types(): string[] {
    return this.received.map(({ type }) => type);
  }

  until(fits: Parameters<typeof this.raw.until>[0]): Promise<RawEnvelope> {
    return this.raw.until(fits);
  }

  send(fields: Fields, bytes?: Uint8Array): void {
    const envelope: Envelope = {
      id: `server-${++this.#ids}`,
      transaction: null,
      session: 'agent',
      seq: '0',
      ts: '5',
      channel: 'AGENT',
      payload: {},
      ...(bytes === undefined ? {} : { bin_len: bytes.length }),
      ...fields,
    };
    void this.raw.sendText(encode(envelope), bytes);
  }

  /** Several envelopes in one batch. */
  sendAll(...all: Fields[]): void {
    for (const fields of all) this.send(fields);
  }

  /** Waits for HAI and answers it. */
  async welcome(payload: Record<string, unknown> = {}, session = 'me'): Promise<RawEnvelope> {
    const hai = await this.until('HAI');
    this.send({
      type: 'HAI',
      session,
      ack: '1',
      related_id: hai.id,
      payload: {
        haip_version: '1.1.2',
        accept_major: [1],
        capabilities: { binary_frames: true, transaction_log: true },
        retry_within_ms: 600_000,
        resume_token: 'secret',
        ...(payload as Record<string, string>),
      },
    });
    return hai;
  }

  /** Waits for TRANSACTION_START, answers it and gives its receipt at position 1. */
  async start(transaction = 'T', epoch = 'E'): Promise<RawEnvelope> {
    const asked = await this.until('TRANSACTION_START');
    this.sendAll(
      {
        type: 'TRANSACTION_START',
        transaction,
        related_id: asked.id,
        payload: { referenceId: asked.transaction, toolName: 'echo', epoch },
      },
      { type: 'INFO', transaction, seq: '1', related_id: asked.id, ack: asked.seq, payload: { kind: 'receipt' } },
    );
    return asked;
  }

  entry(position: number, fields: Partial<Envelope> = {}, transaction = 'T'): void {
    this.send({
      type: 'MESSAGE',
      id: `m-${position}`,
      transaction,
      seq: String(position),
      payload: `text ${position}`,
      ...fields,
    });
  }

  receipt({ id, seq, transaction }: RawEnvelope, position: number, fields: Partial<Envelope> = {}): void {
    const payload = { kind: 'receipt' };
    this.send({ type: 'INFO', transaction, seq: String(position), related_id: id, ack: seq, payload, ...fields });
  }

  ack(seq: number | string): void {
    this.send({ type: 'INFO', payload: { kind: 'ack' }, ack: String(seq) });
  }

  verdict(payload: Record<string, string>, fields: Partial<Envelope> = {}): void {
    this.send({ type: 'TRANSACTION_JOIN', transaction: 'T', payload, ...fields });
  }

  /** Answers a message, which settles its number where it is given. */
  error(
    { id, transaction, seq }: Pick<RawEnvelope, 'id' | 'transaction'> & { readonly seq?: string },
    payload: Record<string, string | boolean | number>,
  ): void {
    this.send({ type: 'ERROR', channel: 'SYSTEM', transaction, related_id: id, payload, ...(seq && { ack: seq }) });
  }
}

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A client on a fake clock and the scripted server it dials. */
export function setUp(options: Partial<ClientOptions> = {}, link: MemoryTransportOptions = {}) {
  const clock = fakeClock();
  const log: LogLine[] = [];
  const peers: ServerPeer[] = [];
  const waiting: ((peer: ServerPeer) => void)[] = [];
  const accept = async (connection: Connection): Promise<void> => {
    const peer = new ServerPeer(connection);
    peers.push(peer);
    waiting.shift()?.(peer);
  };
  const transport = memoryTransport(accept, { clock, ...link });
  let ids = 0;
  const client = new HAIPClient({
    transports: [transport],
    clock,
    ids: () => `client-${++ids}`,
    random: () => 0.5,
    logger: (level, event, fields = {}) => log.push({ level, event, fields }),
    ...options,
  });
  /** The server's end of the next connection. */
  const nextPeer = (): Promise<ServerPeer> => new Promise((resolve) => waiting.push(resolve));

  /** Connects; the server has answered HAI. */
  async function connected(payload: Record<string, unknown> = {}): Promise<ServerPeer> {
    const next = nextPeer();
    const connecting = client.connect();
    const peer = await next;
    await peer.welcome(payload);
    await connecting;
    return peer;
  }

  /** Connects and starts a transaction T in epoch E, of which entry 1 was read. */
  async function started() {
    const peer = await connected();
    const starting = client.startTransaction('echo');
    await peer.start();
    const chat = await starting;
    await clock.settle();
    return { peer, chat };
  }

  /** Lets the wait for the next attempt pass; the server's end of it, not yet welcomed. */
  async function reconnected(): Promise<ServerPeer> {
    const before = peers.length;
    while (peers.length === before) await clock.advance(50);
    return peers.at(-1) as ServerPeer;
  }

  return { client, clock, log, peers, transport, accept, nextPeer, connected, started, reconnected };
}
