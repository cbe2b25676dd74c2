// One stream of JetStream as the rest of the store sees it: messages by sequence and by subject, and an append that is
// conditional on the subject's last sequence. Knows nothing of what is in them.

import { setTimeout as pause } from 'node:timers/promises';
import { type ApiError, JetStreamApiCodes } from '@nats-io/jetstream';
import { type Msg, headers as makeHeaders } from '@nats-io/transport-node';
import { type Exchange, JetStreamRefusal, NatsUnavailable } from './exchange.ts';

/** A message as it lies in a stream. */
export interface StoredMessage {
  readonly seq: number;
  readonly data: Uint8Array;
  /** When the server stored it, in ms since epoch by the server's clock. */
  readonly time: number;
}

export interface AppendOptions {
  /** The last sequence the subject must have, 0 for none; absent: whatever it has. */
  readonly after?: number | undefined;
  /** Names the message: one that comes twice is stored once. */
  readonly id: string;
  /** Other headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What became of a message that is stored. */
export interface Appended {
  readonly seq: number;
  /** Whether none came between it and the one that it was to come after. */
  readonly isNext: boolean;
}

export interface StreamOptions {
  readonly name: string;
  /** Who writes: what is said in each message. */
  readonly node: string;
  readonly exchange: Exchange;
  /** Whether several servers keep it. */
  readonly isReplicated: boolean;
}

interface Ack {
  readonly seq?: number;
  /** A message of this id is known already. */
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

/** A message as JetStream's API gives it. */
interface ApiMessage {
  readonly message: { readonly seq: number; readonly data?: string; readonly time: string };
}

/** The header that says which node wrote a message. */
export const NODE = 'Haip-Node';
/** The codes of a last sequence that is another one: with what it is, and without. */
const wrongLast: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];
const NOT_FOUND = 404;
/** For how long a server that became the leader may be behind. */
const BEHIND_MS = 2000;
/** Messages that are removed at once. */
const REMOVED_TOGETHER = 64;

export class Stream {
  readonly name: string;
  /** Whether several servers keep it. */
  readonly isReplicated: boolean;
  /** The highest sequence that is known to be stored. */
  highest = 0;
  readonly #node: string;
  readonly #exchange: Exchange;

  constructor({ name, node, exchange, isReplicated }: StreamOptions) {
    this.name = name;
    this.#node = node;
    this.#exchange = exchange;
    this.isReplicated = isReplicated;
  }

  /** The newest message of a subject, or null. */
  async last(subject: string): Promise<StoredMessage | null> {
    // A replica may be behind; whoever asks for the newest means that.
    if (this.isReplicated) return this.#fromLeader({ last_by_subj: subject });
    return this.#direct(await this.#exchange.ask(`$JS.API.DIRECT.GET.${this.name}.${subject}`));
  }

  /** The messages with these sequences, null for each that is not there. In one go. */
  get(seqs: readonly number[]): Promise<(StoredMessage | null)[]> {
    return Promise.all(
      seqs.map(async (seq) => {
        const found = this.#direct(
          await this.#exchange.ask(`$JS.API.DIRECT.GET.${this.name}`, JSON.stringify({ seq })),
        );
        return found === null && this.isReplicated ? this.#fromLeader({ seq }) : found;
      }),
    );
  }

  /** The first message at `seq` or above on a subject that may have wildcards, or null. */
  async next(seq: number, subject: string): Promise<StoredMessage | null> {
    const query = { seq, next_by_subj: subject };
    if (this.isReplicated) return this.#fromLeader(query);
    return this.#direct(await this.#exchange.ask(`$JS.API.DIRECT.GET.${this.name}`, JSON.stringify(query)));
  }

  /**
   * Stores a message; undefined when the subject's last sequence is another one. That may be this message's: whoever was
   * not told the first time is not told the second time.
   */
  async append(subject: string, data: Uint8Array, options: AppendOptions): Promise<Appended | undefined> {
    const headers = makeHeaders();
    headers.set('Nats-Msg-Id', options.id);
    headers.set(NODE, this.#node);
    if (options.after !== undefined) headers.set('Nats-Expected-Last-Subject-Sequence', String(options.after));
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    const { seq, duplicate, error } = (await this.#exchange.ask(subject, data, headers)).json<Ack>();
    if (error !== undefined && wrongLast.includes(error.err_code)) return undefined;
    // A refusal may come with a sequence, too: 0.
    if (error !== undefined) throw new NatsUnavailable(`NATS did not store it (${error.description})`);
    // A leader of a cluster knows an id before its message is stored, and that may never be: measured with 2.9.10.
    if (duplicate === true && options.after !== undefined) return undefined;
    if (seq === undefined || seq === 0) throw new NatsUnavailable('NATS does not say that it stored it');
    this.see(seq);
    if (!this.isReplicated || options.after === undefined) return { seq, isNext: true };
    return { seq, isNext: await this.#isFirst(subject, options.after, seq) };
  }

  /**
   * Whether nothing came between. A cluster looks at the last sequence before its servers agree on the message, not when
   * they do (nats-server issues 4320 and 8469): of several that come together more than one may be stored. The first counts.
   */
  async #isFirst(subject: string, after: number, seq: number): Promise<boolean> {
    const until = performance.now() + BEHIND_MS;
    for (;;) {
      const first = await this.next(after + 1, subject);
      if (first !== null && first.seq <= seq) return first.seq === seq;
      if (performance.now() > until) throw new NatsUnavailable('NATS does not have what it stored');
      await pause(BEHIND_MS / 100);
    }
  }

  /** A message of this sequence is stored. */
  see(seq: number): void {
    if (seq > this.highest) this.highest = seq;
  }

  /**
   * Removes messages; those that are gone already are fine. None that is the newest of its subject, unless it is the only
   * one: NATS 2.9 then finds no newest message there any more, and takes none after it.
   */
  async remove(seqs: readonly number[]): Promise<void> {
    for (let from = 0; from < seqs.length; from += REMOVED_TOGETHER) {
      await Promise.all(seqs.slice(from, from + REMOVED_TOGETHER).map((seq) => this.#removeOne(seq)));
    }
  }

  async #removeOne(seq: number): Promise<void> {
    try {
      await this.#exchange.api(`STREAM.MSG.DELETE.${this.name}`, { seq, no_erase: true });
    } catch (error) {
      // Of two that remove it at once the later is told so, by one of several codes.
      if (!(error instanceof JetStreamRefusal) || !/(no message|not) found/.test(error.description)) throw error;
    }
  }

  #direct({ headers, data }: Msg): StoredMessage | null {
    if (headers?.code === NOT_FOUND) return null;
    const seq = Number(headers?.get('Nats-Sequence'));
    if (headers === undefined || headers.code !== 0 || !Number.isSafeInteger(seq) || seq === 0) {
      throw new NatsUnavailable(`NATS gave no message (${headers?.code} ${headers?.description})`);
    }
    this.see(seq);
    return { seq, data, time: Date.parse(headers.get('Nats-Time-Stamp')) };
  }

  async #fromLeader(
    query: { readonly seq: number; readonly next_by_subj?: string } | { readonly last_by_subj: string },
  ): Promise<StoredMessage | null> {
    try {
      const { message } = await this.#exchange.api<ApiMessage>(`STREAM.MSG.GET.${this.name}`, query);
      this.see(message.seq);
      const data = Buffer.from(message.data ?? '', 'base64');
      return { seq: message.seq, data, time: Date.parse(message.time) };
    } catch (error) {
      if (error instanceof JetStreamRefusal && error.code === JetStreamApiCodes.NoMessageFound) return null;
      throw error;
    }
  }
}
