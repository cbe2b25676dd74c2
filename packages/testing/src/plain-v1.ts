// Peers that know HAIP v1 as its first software spoke it, without the transaction log: the oddities included, since a
// server or client of ours must get along with them. Built from facts about that software, not from its text. Spec: §2.

import {
  type Accept,
  type Clock,
  type Connection,
  type ConnectionEnd,
  type Envelope,
  encode,
  Fault,
  type Timer,
} from '@haip/protocol';
import type { RawEnvelope } from './raw-peer.ts';

export interface PlainV1ClientOptions {
  /** What it authenticates with, in HAI and again in TRANSACTION_START. Default `{ token: 'Bearer TOKEN' }`. */
  readonly auth?: unknown;
  /** Its `seq` and `ts`: several messages may bear the same. Default: a clock that stands still. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

/** A client of the public v1 SDK's kind. */
export interface PlainV1Client {
  /** Everything that came over the wire. */
  readonly received: readonly RawEnvelope[];
  /** What it passed on to its application: MESSAGE and AUDIO, in order. */
  readonly messages: readonly RawEnvelope[];
  /** What it threw away: falsy payloads and types it does not know. A server that knows its peer sends none. */
  readonly dropped: readonly RawEnvelope[];
  readonly errors: readonly RawEnvelope[];
  /** PINGs it answered. It stops after eight. */
  readonly pongs: number;
  /** How the connection ended, once all that came before was read. */
  readonly closed: Promise<ConnectionEnd>;
  /** Sends TRANSACTION_START, without waiting for the server's HAI. Resolves with the real transaction id. */
  start(toolName: string, params?: unknown): Promise<string>;
  sendText(transaction: string, text: string): void;
  /** Resolves once so many messages were passed on; rejects when the connection ends first. */
  untilMessages(count: number): Promise<readonly RawEnvelope[]>;
}

const knownToClient = new Set(['HAI', 'TRANSACTION_START', 'PING', 'PONG', 'ERROR', 'MESSAGE', 'AUDIO']);
const PONGS_IN_A_LIFE = 8;
const stoppedClock: Pick<Clock, 'now' | 'timer'> = {
  now: () => 1_755_187_354_681,
  timer: () => ({ cancel: () => {} }),
};
const PING_EVERY_MS = 30_000;
let peers = 0;

const v1Hai = {
  haip_version: '1.1.2',
  accept_major: [1],
  accept_events: ['HAI', 'PING', 'PONG', 'ERROR', 'TRANSACTION_START', 'MESSAGE', 'MESSAGE_START', 'AUDIO_CHUNK'],
  capabilities: {
    binary_frames: true,
    flow_control: { initial_credit_messages: 10, initial_credit_bytes: 1_048_576 },
    max_concurrent_runs: 5,
    signed_envelopes: false,
  },
};

function write(connection: Connection, envelope: Envelope): void {
  void connection.send({ text: encode(envelope), shared: false });
}

/** Calls `take` with each envelope that comes; faults are not its business. */
async function readAll(connection: Connection, take: (envelope: RawEnvelope) => void): Promise<void> {
  for await (const batch of connection) {
    for (const incoming of batch) {
      if (incoming instanceof Fault) continue;
      const { envelope, bytes } = incoming;
      take(bytes === undefined ? envelope : { ...envelope, bytes });
    }
  }
}

/** A plain v1 client over any connection. It sends its HAI at once. */
export function plainV1Client(connection: Connection, options: PlainV1ClientOptions = {}): PlainV1Client {
  const { auth = { token: 'Bearer TOKEN' }, clock = stoppedClock } = options;
  const name = `v1-client-${++peers}`;
  const received: RawEnvelope[] = [];
  const messages: RawEnvelope[] = [];
  const dropped: RawEnvelope[] = [];
  const errors: RawEnvelope[] = [];
  const starting = new Map<string, (transaction: string) => void>();
  let ids = 0;
  let pongs = 0;
  let wake: (() => void)[] = [];

  function send(type: string, channel: string, transaction: string | null, payload: unknown): void {
    const now = String(clock.now());
    const body = payload as Envelope['payload'];
    write(connection, {
      id: `${name}-${++ids}`,
      transaction,
      session: name,
      seq: now,
      ts: now,
      channel,
      type,
      payload: body,
    });
  }

  function take(envelope: RawEnvelope): void {
    received.push(envelope);
    const { type, payload, transaction } = envelope;
    if (!payload || !knownToClient.has(type)) dropped.push(envelope);
    else if (type === 'TRANSACTION_START') starting.get(payload.referenceId)?.(transaction ?? '');
    else if (type === 'ERROR') errors.push(envelope);
    else if (type === 'MESSAGE' || type === 'AUDIO') messages.push(envelope);
    else if (type === 'PING' && pongs < PONGS_IN_A_LIFE) {
      pongs++;
      send('PONG', 'SYSTEM', null, payload);
    }
    const waiting = wake;
    wake = [];
    for (const resume of waiting) resume();
  }

  send('HAI', 'SYSTEM', null, { ...v1Hai, auth, last_rx_seq: '' });
  const over = readAll(connection, take);

  return {
    received,
    messages,
    dropped,
    errors,
    get pongs() {
      return pongs;
    },
    closed: over.then(() => connection.closed),
    start(toolName, params = {}) {
      const referenceId = `${name}-start-${++ids}`;
      send('TRANSACTION_START', 'SYSTEM', referenceId, { toolName, params, auth });
      return new Promise((resolve, reject) => {
        starting.set(referenceId, resolve);
        void connection.closed.then((end) => reject(new Error(`${toolName} not started: ${end.code} ${end.reason}`)));
      });
    },
    sendText: (transaction, text) => send('MESSAGE', 'USER', transaction, text),
    async untilMessages(count) {
      while (messages.length < count) {
        await new Promise<void>((resolve, reject) => {
          wake.push(resolve);
          void connection.closed.then((end) =>
            reject(new Error(`${messages.length} of ${count} messages: ${end.code}`)),
          );
        });
      }
      return messages.slice(0, count);
    },
  };
}

export interface PlainV1ServerOptions {
  /** Default: a token of `Bearer TOKEN`. */
  readonly authenticate?: ((auth: unknown) => boolean) | undefined;
  /** By it the server sends a PING every 30 s, as on WebSocket. Default: a clock that stands still. */
  readonly clock?: Pick<Clock, 'now' | 'timer'> | undefined;
}

/** A server of the public v1 software's kind, with one tool, `echo`. */
export interface PlainV1Server {
  readonly accept: Accept;
  /** Everything that clients sent, in order. */
  readonly received: readonly RawEnvelope[];
}

function hasToken(auth: unknown): boolean {
  return typeof auth === 'object' && auth !== null && 'token' in auth && auth.token === 'Bearer TOKEN';
}

/** A plain v1 server. Transactions die with their connection. */
export function plainV1Server(options: PlainV1ServerOptions = {}): PlainV1Server {
  const { authenticate = hasToken, clock = stoppedClock } = options;
  const received: RawEnvelope[] = [];
  const name = `v1-server-${++peers}`;
  let ids = 0;

  async function accept(connection: Connection): Promise<void> {
    const session = `${name}-session-${++ids}`;
    const transactions = new Set<string>();
    let isKnown = false;
    let pings = 0;

    // It writes the clock with letters behind it as seq, and "null" where it means null.
    function send(type: string, transaction: string, payload: unknown, fields: Partial<Envelope> = {}): void {
      const ts = String(clock.now());
      const body = payload as Envelope['payload'];
      const id = `${name}-${++ids}`;
      write(connection, {
        id,
        transaction,
        session,
        seq: `${ts}x7k2m9qz4`,
        ts,
        channel: 'SYSTEM',
        type,
        payload: body,
        ...fields,
      });
    }

    function refuse(envelope: RawEnvelope, code: string): void {
      send('ERROR', envelope.transaction ?? 'null', { code, message: code }, { related_id: envelope.id });
    }

    function takeHai(envelope: RawEnvelope): void {
      isKnown = authenticate(envelope.payload.auth);
      if (isKnown) return;
      refuse(envelope, 'FAILED_AUTH');
      connection.close(1008, 'FAILED_AUTH');
    }

    function start({ transaction, payload }: RawEnvelope): void {
      const real = `${name}-transaction-${++ids}`;
      transactions.add(real);
      send('TRANSACTION_START', real, { referenceId: transaction, toolName: payload.toolName });
    }

    function take(envelope: RawEnvelope): void {
      received.push(envelope);
      const { type, payload, transaction } = envelope;
      const isInTransaction = transaction !== null && transactions.has(transaction);
      if (type === 'HAI') takeHai(envelope);
      else if (!isKnown) refuse(envelope, 'UNAUTHORIZED');
      else if (type === 'PING') send('PONG', 'null', payload);
      else if (type === 'PONG') return;
      else if (type === 'TRANSACTION_START' && payload.toolName === 'echo') start(envelope);
      else if (type === 'TRANSACTION_START') refuse(envelope, 'TOOL_NOT_FOUND');
      else if (!isInTransaction) refuse(envelope, 'TRANSACTION_NOT_FOUND');
      else if (type === 'MESSAGE') send('MESSAGE', transaction, payload, { id: envelope.id, channel: 'USER' });
      else refuse(envelope, 'UNAUTHORIZED');
    }

    function pingOn(): Timer {
      return clock.timer(PING_EVERY_MS, () => {
        send('PING', 'null', { nonce: String(++pings) });
        pinging = pingOn();
      });
    }

    send('HAI', 'null', v1Hai);
    let pinging = pingOn();
    await readAll(connection, take);
    pinging.cancel();
  }

  return { accept, received };
}
