// One connection from its HAI to its end: numbers what is written, reads what comes, answers PING, keeps the
// heartbeat. Decides nothing about transactions, never reconnects. Spec: §2, §3.

import {
  afterClose,
  type CloseCode,
  type Connection,
  channels,
  type Envelope,
  encode,
  Fault,
  type JsonObject,
  type JsonValue,
  type Received,
  toBase64,
} from '@haip/protocol';
import { asError, ClientError, ConnectionEndedError, RefusedError } from './errors.ts';
import { type Greeting, haiPayload, readWelcome, type Welcome } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Settings } from './options.ts';

/** How a session ended, and what to do about it. */
export interface SessionEnd {
  /** `resume`: dial again. `anew`: also give back what was written. `stop`: stay away. */
  readonly next: 'resume' | 'anew' | 'stop';
  /** The session's token is of no use any more. */
  readonly forget: boolean;
  readonly error: Error;
  readonly retryAfterMs: number;
}

/** What a session tells whoever began it. */
export interface SessionOwner {
  /** The server's HAI is here. Called at most once, before anything is received. */
  opened(session: Session, welcome: Welcome): void;
  /** Something that is not about the connection itself. A promise makes the reading wait. */
  receive(received: Received, session: Session): void | Promise<void>;
  /** The link takes more again. */
  drained(): void;
}

/** What is written: {@link Session.write} adds the rest. */
export interface Outbound {
  readonly type: string;
  readonly payload: JsonValue;
  readonly transaction?: string | null;
  readonly id?: string;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
  readonly relatedId?: string;
}

export class Session {
  /** What the messages of this client are stamped with. */
  id = '';
  welcome: Welcome | undefined;
  /** The link asked for patience. */
  full = false;
  /** The last ERROR that answered nothing known: why a close came, if one comes. */
  refusal: RefusedError | undefined;
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #owner: SessionOwner;
  readonly #end = Promise.withResolvers<SessionEnd>();
  #ended = false;
  #number = 0;
  #heartbeat: Heartbeat | undefined;

  constructor(connection: Connection, settings: Settings, owner: SessionOwner) {
    this.#connection = connection;
    this.#settings = settings;
    this.#owner = owner;
  }

  get plain(): boolean {
    return this.welcome?.plain === true;
  }

  /** Resolves with how the session ended. Never rejects. */
  get ended(): Promise<SessionEnd> {
    return this.#end.promise;
  }

  /** Says HAI and reads from then on. */
  begin(greeting: Greeting): void {
    this.write({ type: 'HAI', payload: haiPayload(greeting, this.#connection.supports.binary) }, channels.system);
    this.#read().catch((error: unknown) => {
      this.#settings.logger('error', 'reading failed', { error });
      this.end('resume', 1011, asError(error));
    });
  }

  /** Writes a message under the next number, which it gives. */
  write(message: Outbound, channel: string): number {
    const { bytes } = message;
    const raw = bytes !== undefined && this.#connection.supports.binary && this.welcome?.binary === true;
    const payload =
      bytes === undefined || raw ? message.payload : { ...(message.payload as JsonObject), data: toBase64(bytes) };
    const text = encode({
      id: message.id ?? this.#settings.ids(),
      transaction: message.transaction ?? null,
      session: this.id,
      seq: String(++this.#number),
      ts: String(this.#settings.clock.now()),
      channel,
      type: message.type,
      payload,
      bin_len: raw ? bytes.length : undefined,
      bin_mime: raw ? message.mime : undefined,
      related_id: message.relatedId,
    });
    const pending = this.#connection.send({ text, bytes: raw ? bytes : undefined, shared: false });
    if (pending) this.#wait(pending);
    return this.#number;
  }

  #wait(pending: Promise<void>): void {
    this.full = true;
    const go = (): void => {
      this.full = false;
      if (!this.#ended) this.#owner.drained();
    };
    pending.then(go, go);
  }

  /** The server broke a rule: ends the connection; the next one resumes from what was read. */
  fault(error: Error): void {
    this.end('resume', 1002, error);
  }

  /** Ends the session from this side. The first end counts. */
  end(next: SessionEnd['next'], code: CloseCode = 1001, error: Error = new ClientError('ended', 'Ended here.')): void {
    this.#finish({ next, forget: next === 'anew', error, retryAfterMs: 0 }, code);
  }

  #finish(end: SessionEnd, code: CloseCode): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#heartbeat?.stop();
    this.#connection.close(code);
    this.#end.resolve(end);
  }

  async #read(): Promise<void> {
    for await (const batch of this.#connection) {
      this.#heartbeat?.hear();
      for (const incoming of batch) {
        if (this.#ended) return;
        const pending = this.#take(incoming);
        if (pending) await pending;
      }
    }
    const { code, reason, retryAfterMs = 0 } = await this.#connection.closed;
    // 4409 before the answer: another holder of the token has a higher attempt. It is theirs then, and this begins anew.
    const forget = code === 4409 && this.welcome === undefined;
    const next = forget ? 'resume' : afterClose(code);
    const closed = new ConnectionEndedError(code, reason, next !== 'stop');
    const error = next === 'resume' ? closed : (this.refusal ?? closed);
    this.#finish({ next, forget: forget || next === 'anew', error, retryAfterMs }, 1000);
  }

  #take(incoming: Received | Fault): void | Promise<void> {
    if (incoming instanceof Fault) {
      const { code, expected } = incoming;
      this.#settings.logger('warn', 'unreadable message', { code, expected });
      // A server with a log may have put an entry into it: reading it again is the way to know.
      if (!this.plain) this.fault(new RefusedError(code, incoming));
      return undefined;
    }
    const { envelope } = incoming;
    switch (envelope.type) {
      case 'HAI':
        return this.#hear(envelope);
      case 'PING':
        this.write({ type: 'PONG', payload: envelope.payload, relatedId: envelope.id }, channels.system);
        return undefined;
      case 'PONG':
        return undefined;
      default:
        // Before the two have met only a refusal counts.
        if (this.welcome === undefined && envelope.type !== 'ERROR') return undefined;
        return this.#owner.receive(incoming, this);
    }
  }

  #hear(envelope: Envelope): void {
    if (this.welcome !== undefined) return;
    const welcome = readWelcome(envelope);
    if (welcome instanceof RefusedError) return this.end('stop', 1008, welcome);
    this.welcome = welcome;
    this.id = envelope.session;
    const { clock, heartbeat } = this.#settings;
    const ping = (): void => {
      if (welcome.plain) this.#connection.probe();
      this.write({ type: 'PING', payload: {} }, channels.system);
    };
    const dead = (): void =>
      this.end('resume', 1001, new ClientError('silent', 'The server went silent.', { retry: true }));
    this.#heartbeat = new Heartbeat(this.#connection, clock, heartbeat, ping, dead);
    this.#owner.opened(this, welcome);
  }
}
