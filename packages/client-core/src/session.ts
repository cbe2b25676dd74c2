// One connection from its HAI to its end: numbers what is written, reads what comes, answers PING, keeps the
// heartbeat. Decides nothing about transactions, never reconnects. Spec: §2, §3.

import {
  afterClose,
  type CloseCode,
  type Connection,
  type Envelope,
  entryTypes,
  Fault,
  type JsonObject,
  type JsonValue,
  protocolMajor,
  protocolVersion,
  type Received,
  sharesMajor,
  toBase64,
} from '@haip/protocol';
import { channelOf, spendsWindow } from './entry.ts';
import { asError, ClientError, ConnectionEndedError, RefusedError } from './errors.ts';
import type { Settings } from './options.ts';
import { watchSilence } from './silence.ts';
import { type FlowControl, SendWindows } from './windows.ts';

/** How a session ended, and what to do about it. */
export interface SessionEnd {
  /** `resume`: dial again. `anew`: also give back what was written. `stop`: stay away. */
  readonly next: 'resume' | 'anew' | 'stop';
  readonly error: Error;
  /** The session's token is of no use any more. */
  readonly forget?: boolean;
  readonly retryAfterMs?: number;
}

/** What a session tells whoever began it. */
export interface SessionOwner {
  /** The server's HAI is here. Called at most once, before anything is received. */
  opened(session: Session): void;
  /** Something that is not about the connection itself. A promise makes the reading wait. */
  receive(received: Received, session: Session): void | Promise<void>;
  /** The link takes more again. */
  drained(): void;
  /** The answer to a PING is here. */
  answered(): void;
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
}

export class Session {
  /** What the messages of this client are stamped with, once the server said HAI. */
  id = '';
  /** The server's HAI; undefined until it came. */
  welcome?: Welcome;
  /** Nothing may be written now: the link asked for patience, or has ended. */
  full = false;
  /** What the server lets this client write; undefined: it keeps no windows. */
  windows?: SendWindows;
  /** The last ERROR that answered nothing known: why a close came, if one comes. */
  refusal?: RefusedError;
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #owner: SessionOwner;
  /** What the application consumed and the server was not granted again yet, by transaction and channel. */
  readonly #owed = new Map<string, { add_messages: number; add_bytes: number; readonly channel: string }>();
  readonly #end = Promise.withResolvers<SessionEnd>();
  #isOver = false;
  #binary = false;
  #number = 0;
  #silence: ReturnType<typeof watchSilence> | undefined;

  constructor(connection: Connection, settings: Settings, owner: SessionOwner) {
    this.#connection = connection;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** Says HAI, with the owner's greeting in it, and reads. Resolves with how the session ended. */
  begin(greeting: JsonObject): Promise<SessionEnd> {
    const { supports } = this.#connection;
    const { windowMessages, windowBytes } = this.#settings;
    const payload = {
      haip_version: protocolVersion,
      accept_major: [protocolMajor],
      accept_events: entryTypes,
      capabilities: {
        binary_frames: supports.binary,
        transaction_log: true,
        flow_control: { initial_credit_messages: windowMessages, initial_credit_bytes: windowBytes },
      },
      ...greeting,
    };
    this.write({ type: 'HAI', payload });
    this.#read().catch((error: unknown) => {
      this.#settings.logger('error', 'reading failed', { error });
      this.end('resume', 1011, asError(error));
    });
    return this.#end.promise;
  }

  /** Writes a message under the next number, which it gives. */
  write({ id, type, transaction = null, payload, bytes, mime }: Outbound, related_id?: string): number {
    const { ids, clock } = this.#settings;
    const raw = this.#binary ? bytes : undefined;
    const text = JSON.stringify({
      id: id ?? ids(),
      transaction,
      session: this.id,
      seq: String(++this.#number),
      ts: String(clock.now()),
      channel: channelOf(type),
      type,
      payload: bytes && !raw ? { ...(payload as JsonObject), data: toBase64(bytes) } : payload,
      bin_len: raw?.length,
      bin_mime: raw && mime,
      related_id,
    });
    if (this.windows && spendsWindow(type)) {
      this.windows.spend(transaction, new TextEncoder().encode(text).length + (raw?.length ?? 0));
    }
    this.#silence?.say();
    const pending = this.#connection.send({ text, bytes: raw, shared: false });
    if (pending) {
      this.full = true;
      const go = (): void => {
        if (this.#isOver) return;
        this.full = false;
        this.#owner.drained();
      };
      pending.then(go, go);
    }
    return this.#number;
  }

  /** The application is done with an entry of this connection: once that is half a window, the server is granted it. */
  consumed({ envelope: { transaction, channel }, size }: Received): void {
    const { windowMessages, windowBytes } = this.#settings;
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
    if (!this.#isOver) this.#silence?.probe();
  }

  /** The server broke a rule: ends the connection; the next one resumes from what was read. */
  fault(error: Error): void {
    this.end('resume', 1002, error);
  }

  /** Ends the session from this side. The first end counts. */
  end(next: SessionEnd['next'], code: CloseCode, error: Error, forget = next === 'anew', retryAfterMs = 0): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.full = true;
    this.#silence?.stop();
    this.#connection.close(code);
    this.#end.resolve({ next, error, forget, retryAfterMs });
  }

  async #read(): Promise<void> {
    for await (const batch of this.#connection) {
      this.#silence?.hear();
      for (const incoming of batch) {
        if (this.#isOver) return;
        await this.#take(incoming);
      }
    }
    const { code, reason, retryAfterMs } = await this.#connection.closed;
    const next = afterClose(code);
    const error = new ConnectionEndedError(code, reason, next !== 'stop');
    // 4409 before the answer: another holder of the token has a higher attempt. It is theirs then, and this begins anew.
    if (code === 4409 && !this.welcome) this.end('resume', 1000, error, true, retryAfterMs);
    else this.end(next, 1000, next === 'resume' ? error : (this.refusal ?? error), next === 'anew', retryAfterMs);
  }

  #take(incoming: Received | Fault): void | Promise<void> {
    if (incoming instanceof Fault) {
      const { code, expected } = incoming;
      this.#settings.logger('warn', 'unreadable message', { code, expected });
      // There may have been an entry in it: reading it again is the way to know.
      return this.fault(new RefusedError(code, incoming));
    }
    const { id, type, payload } = incoming.envelope;
    if (type === 'HAI') return this.#hear(incoming.envelope);
    if (type === 'PING') this.write({ type: 'PONG', payload }, id);
    if (type === 'PONG') this.#owner.answered();
    // Before the two have met only a refusal counts.
    if (this.welcome || type === 'ERROR') return this.#owner.receive(incoming, this);
  }

  #hear({ session, payload }: Envelope): void {
    if (this.welcome) return;
    const hai = payload as Welcome;
    const { binary_frames = false, transaction_log, flow_control } = hai.capabilities ?? {};
    if (!sharesMajor(payload as JsonObject) || transaction_log !== true) {
      const expected = `major ${protocolMajor} with transaction_log, or plainV1()`;
      return this.end('stop', 1008, new RefusedError('VERSION_INCOMPATIBLE', { expected }));
    }
    this.welcome = hai;
    this.id = session;
    this.#binary = this.#connection.supports.binary && binary_frames;
    if (flow_control) this.windows = new SendWindows(flow_control);
    this.#silence = watchSilence(this.#connection, {
      ...this.#settings,
      ping: () => this.write({ type: 'PING', payload: {} }),
      dead: () => this.end('resume', 1001, new ClientError('silent', 'The server is silent.', undefined, true)),
    });
    this.#owner.opened(this);
  }
}
