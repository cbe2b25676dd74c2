// One connection from its dial to its end: says HAI, numbers what is written, reads what comes, answers PING, keeps the
// heartbeat. Decides nothing about transactions, never reconnects. Spec: §2, §3.

import {
  afterClose,
  type CloseCode,
  type Connection,
  type Envelope,
  entryTypes,
  Fault,
  type Frame,
  type Incoming,
  type JsonObject,
  type JsonValue,
  protocolMajor,
  protocolVersion,
  type Received,
  sharesMajor,
  type Timer,
  type Transport,
  toBase64,
} from '@haip/protocol';
import { type ClientCore, cursorsOf } from './core.ts';
import { channelOf, spendsWindow } from './entry.ts';
import { asError, ClientError, ConnectionEndedError, RefusedError } from './errors.ts';
import { type Heartbeat, watchLink } from './heartbeat.ts';
import { flush } from './outbox.ts';
import { receive } from './receive.ts';
import { type FlowControl, type SendWindows, sendWindows, spend } from './windows.ts';

/** How a session ended, and what to do about it. */
export interface SessionEnd {
  /** `resume`: dial again. `anew`: also give back what was written. `stop`: stay away. */
  readonly next: 'resume' | 'anew' | 'stop';
  readonly error: Error;
  /** The session's token is of no use any more. */
  readonly forget: boolean;
  readonly retryAfterMs: number;
}

/** Whoever began a session. */
export interface SessionOwner {
  /** The server's HAI is here: called before anything is received. True: the transport has to show that it delivers. */
  opened(session: Session): boolean;
  /** It delivers. */
  delivers(session: Session): void;
}

/** What is written: {@link Session.write} adds the rest. */
export interface Outbound {
  readonly type: string;
  readonly payload: JsonValue;
  readonly transaction?: string | null;
  readonly id?: string;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
}

/** What counts of a server's HAI. */
interface Welcome {
  readonly resume_token?: string;
  readonly retry_within_ms?: number;
  readonly capabilities?: {
    readonly binary_frames?: boolean;
    readonly transaction_log?: boolean;
    readonly flow_control?: FlowControl;
  };
  readonly limits?: { readonly max_text_bytes?: number; readonly max_binary_bytes?: number };
}

/** What is not there at first is declared only: a page loads no line that says so. */
export class Session {
  declare readonly transport: Transport;
  /** Set on one that is to take the place of another: called when it does. */
  declare takeOver?: () => void;
  /** What the messages of this client are stamped with, once the server said HAI. */
  id = '';
  /** The server's HAI; undefined until it came. */
  declare welcome?: Welcome;
  /** Nothing may be written now: the link asked for patience, or has ended. */
  full = false;
  /** What the server lets this client write; undefined: it keeps no windows. */
  declare windows?: SendWindows;
  /** The last ERROR that answered nothing known: why a close came, if one comes. */
  declare refusal?: RefusedError;
  /** When the transport was seen to deliver, by the monotonic clock. */
  declare openedAt?: number;
  readonly #core: ClientCore;
  readonly #owner: SessionOwner;
  /** What the application consumed and the server was not granted again yet, by transaction and channel. */
  readonly #owed = new Map<string, { add_messages: number; add_bytes: number; readonly channel: string }>();
  readonly #end = Promise.withResolvers<SessionEnd>();
  readonly #dialling = new AbortController();
  #connection?: Connection;
  #isOver = false;
  #binary = false;
  #attempt = 0;
  #number = 0;
  #timer?: Timer;
  #heartbeat?: Heartbeat;

  constructor(core: ClientCore, transport: Transport, owner: SessionOwner) {
    this.#core = core;
    this.transport = transport;
    this.#owner = owner;
  }

  /** How it ended. */
  get ended(): Promise<SessionEnd> {
    return this.#end.promise;
  }

  /** Dials once the credentials are there, says HAI, and reads to the end. */
  async begin(credentials: Promise<JsonValue | undefined>): Promise<void> {
    const { authenticateTimeoutMs, connectTimeoutMs, limits, logger } = this.#core.settings;
    try {
      // A move that waits for credentials holds up whoever would connect again.
      const givenMs = this.takeOver ? Math.min(authenticateTimeoutMs, connectTimeoutMs) : authenticateTimeoutMs;
      this.#expect(givenMs, 'authenticate', 'authenticate gave nothing');
      const auth = await credentials;
      if (this.#isOver) return;
      this.#expect(connectTimeoutMs, 'timeout', `${this.transport.name}: no HAI`);
      const connection = await this.transport.dial({ limits, logger }, this.#dialling.signal);
      this.#connection = connection;
      // One that opens after it was given up is closed at once.
      if (this.#isOver) return connection.close(1000);
      this.#greet(connection, auth);
      await this.#read(connection);
    } catch (error) {
      if (this.#connection) logger('error', 'reading failed', { error });
      this.end('resume', asError(error), 1011);
    }
  }

  /** Ends the session unless what is waited for, or the server's HAI, is here by then. */
  #expect(withinMs: number, code: string, what: string): void {
    if (this.#isOver) return;
    const late = new ClientError(code, `${what} in time.`, undefined, true);
    this.#timer?.cancel();
    this.#timer = this.#core.settings.clock.timer(withinMs, () => this.end('resume', late));
  }

  #greet({ supports }: Connection, auth: JsonValue | undefined): void {
    const core = this.#core;
    const { windowMessages, windowBytes } = core.settings;
    this.#attempt = ++core.attempt;
    // One that takes the place of another joins where reading is then.
    const resume = this.takeOver ? [] : cursorsOf(core);
    const payload = {
      haip_version: protocolVersion,
      accept_major: [protocolMajor],
      accept_events: entryTypes,
      capabilities: {
        binary_frames: supports.binary,
        transaction_log: true,
        flow_control: { initial_credit_messages: windowMessages, initial_credit_bytes: windowBytes },
      },
      auth,
      resume_token: core.token,
      attempt: String(this.#attempt),
      resume: resume[0] && resume,
    };
    this.write({ type: 'HAI', payload });
    core.changed();
  }

  /**
   * Writes a message under the next number, which it gives.
   * @throws RefusedError for one that is larger than the server takes: it would end the connection.
   */
  write({ id, type, transaction = null, payload, bytes, mime }: Outbound, related_id?: string): number {
    const { ids, clock } = this.#core.settings;
    const raw = this.#binary ? bytes : undefined;
    const text = JSON.stringify({
      id: id ?? ids(),
      transaction,
      session: this.id,
      seq: String(this.#number + 1),
      ts: String(clock.now()),
      channel: channelOf(type),
      type,
      payload: bytes && !raw ? { ...(payload as JsonObject), data: toBase64(bytes) } : payload,
      bin_len: raw?.length,
      bin_mime: raw && mime,
      related_id,
    });
    const { length } = new TextEncoder().encode(text);
    const { max_text_bytes, max_binary_bytes } = this.welcome?.limits ?? {};
    const [size, most] = bytes ? [bytes.length, max_binary_bytes] : [length, max_text_bytes];
    if (most && size > most) {
      throw new RefusedError('MESSAGE_TOO_LARGE', { expected: `at most ${most} bytes`, got: String(size) });
    }
    if (this.windows && spendsWindow(type)) spend(this.windows, transaction, length + (raw?.length ?? 0));
    this.#heartbeat?.say();
    this.#send({ text, bytes: raw, shared: false });
    return ++this.#number;
  }

  #send(frame: Frame): void {
    const go = (): void => {
      if (this.#isOver) return;
      this.full = false;
      flush(this.#core);
    };
    try {
      const pending = this.#connection?.send(frame);
      if (!pending) return;
      this.full = true;
      pending.then(go, go);
    } catch (error) {
      this.end('resume', asError(error), 1011);
    }
  }

  /** The application is done with an entry of this connection: once that is half a window, the server is granted it. */
  consumed({ envelope: { transaction, channel }, size }: Received): void {
    const { windowMessages, windowBytes } = this.#core.settings;
    const key = `${transaction} ${channel}`;
    const owed = this.#owed.get(key) ?? { add_messages: 0, add_bytes: 0, channel };
    owed.add_messages++;
    owed.add_bytes += size;
    this.#owed.set(key, owed);
    if (owed.add_messages * 2 < windowMessages && owed.add_bytes * 2 < windowBytes) return;
    this.#owed.delete(key);
    this.write({ type: 'FLOW_UPDATE', transaction, payload: owed });
  }

  /** Asks the server for a sign of life now, and gives it half the usual time. */
  probe(): void {
    if (!this.#isOver) this.#heartbeat?.probe();
  }

  /** Ends the session from this side, whatever it is at. The first end counts. */
  end(
    next: SessionEnd['next'],
    error: Error,
    code: CloseCode = 1000,
    retryAfterMs = 0,
    forget = next === 'anew',
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.full = true;
    this.#timer?.cancel();
    this.#heartbeat?.stop();
    this.#dialling.abort(error);
    this.#end.resolve({ next, error, forget, retryAfterMs });
    try {
      this.#connection?.close(code);
    } catch (failure) {
      this.#core.settings.logger('error', 'closing failed', { error: failure });
    }
  }

  async #read(connection: Connection): Promise<void> {
    for await (const batch of connection) {
      this.#heartbeat?.hear();
      for (const incoming of batch) {
        if (this.#isOver) return;
        await this.#take(incoming, connection);
      }
    }
    const { code, reason, retryAfterMs } = await connection.closed;
    const isFenced = code === 4409;
    // By a newer HAI, which was this client's own: of no account.
    const isOwn = isFenced && this.#attempt < this.#core.attempt;
    // Before the answer: another holder of the token has a higher attempt. It is theirs then, and this begins anew.
    const forget = isFenced && !isOwn && !this.welcome;
    const next = isOwn || forget ? 'resume' : afterClose(code);
    const error = new ConnectionEndedError(code, reason, next !== 'stop');
    this.end(next, next === 'resume' ? error : (this.refusal ?? error), 1000, retryAfterMs, forget || next === 'anew');
  }

  #take(incoming: Incoming, connection: Connection): void | Promise<void> {
    const { logger } = this.#core.settings;
    if (incoming instanceof Fault) {
      const { code, expected } = incoming;
      logger('warn', 'unreadable message', { code, expected });
      // There may have been an entry in it: reading it again is the way to know.
      return this.end('resume', new RefusedError(code, incoming), 1002);
    }
    const { id, type, payload } = incoming.envelope;
    if (type === 'HAI') return this.#hear(incoming.envelope, connection);
    if (type === 'PING') this.write({ type: 'PONG', payload }, id);
    if (type === 'PONG' && this.openedAt === undefined) this.#delivers();
    // Before the two have met only a refusal counts.
    if (this.welcome || type === 'ERROR') return receive(incoming, this, this.#core);
  }

  #hear({ session, payload }: Envelope, connection: Connection): void {
    if (this.welcome) return;
    const hai = payload as Welcome;
    const { binary_frames = false, transaction_log, flow_control } = hai.capabilities ?? {};
    if (!sharesMajor(payload as JsonObject) || transaction_log !== true) {
      const expected = `major ${protocolMajor} with transaction_log, or plainV1()`;
      return this.end('stop', new RefusedError('VERSION_INCOMPATIBLE', { expected }), 1008);
    }
    this.welcome = hai;
    this.id = session;
    this.#binary = connection.supports.binary && binary_frames;
    if (flow_control) this.windows = sendWindows(flow_control);
    this.#timer?.cancel();
    const isInDoubt = this.#owner.opened(this);
    // What was written then may have ended it.
    if (this.#isOver) return;
    this.#heartbeat = watchLink(
      connection,
      this.#core.settings,
      {
        ping: () => this.write({ type: 'PING', payload: {} }),
        dead: () => this.end('resume', new ClientError('silent', 'The server is silent.', undefined, true)),
      },
      isInDoubt,
    );
    if (!isInDoubt) this.#delivers();
  }

  #delivers(): void {
    this.#heartbeat?.answered();
    this.openedAt = this.#core.settings.clock.monotonic();
    this.#owner.delivers(this);
  }
}
