// Asks of NATS and their answers. Each is answered, or rejects within a bounded time; what is unanswered when the
// connection comes back, or had nobody to answer it, is asked again. So only what may be asked twice is asked here: what
// writes carries a message id. Never knows what is asked.

import type { ApiError } from '@nats-io/jetstream';
import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';

/** NATS did not answer, or not with yes. Whether what was asked is done is unknown; it may be asked again. */
export class NatsUnavailable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`history: ${reason}; the same drafts may be tried again`, options);
    this.name = 'NatsUnavailable';
  }
}

interface Refusable {
  readonly error?: ApiError;
}

/** JetStream said no. */
export class JetStreamRefusal extends NatsUnavailable {
  /** JetStream's own code of the reason. */
  readonly code: number;
  readonly description: string;

  constructor(request: string, { description, err_code: code }: ApiError) {
    super(`NATS refused ${request} (${description})`);
    this.description = description;
    this.name = 'JetStreamRefusal';
    this.code = code;
  }
}

interface Asked {
  readonly subject: string;
  readonly payload: Uint8Array | string;
  readonly headers: MsgHdrs | undefined;
  readonly until: number;
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: Error) => void;
  /** When to ask again: whoever was asked may be gone, or nobody was there. */
  againAt: number;
}

export interface ExchangeListener {
  /** Called when nobody was there to answer: JetStream starts, or a stream is gone. It is asked again. */
  nobody(): void;
  /** Called when an answer did not come in time. Some questions about a stream that is gone get none. */
  late(): void;
}

const TICK_MS = 50;
/** The server's word for "nobody listens to this subject". */
const NO_RESPONDERS = 503;

export class Exchange {
  readonly #nc: NatsConnection;
  readonly #timeoutMs: number;
  readonly #listener: ExchangeListener;
  readonly #inbox: string;
  readonly #asked = new Map<string, Asked>();
  #count = 0;
  #isConnected = true;
  #closed: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(nc: NatsConnection, timeoutMs: number, listener: ExchangeListener) {
    this.#nc = nc;
    this.#timeoutMs = timeoutMs;
    this.#listener = listener;
    this.#inbox = createInbox();
    nc.subscribe(`${this.#inbox}.*`, { callback: (error, answer) => this.#take(error, answer) });
  }

  /** The answer, with whatever it says. Rejects with {@link NatsUnavailable}. */
  ask(subject: string, payload: Uint8Array | string = '', headers?: MsgHdrs): Promise<Msg> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      const token = (this.#count++).toString(36);
      const until = performance.now() + this.#timeoutMs;
      const asked: Asked = { subject, payload, headers, until, resolve, reject, againAt: 0 };
      this.#asked.set(token, asked);
      this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
      this.#send(token, asked);
    });
  }

  /**
   * The answer of JetStream's API to a request in JSON.
   * @throws JetStreamRefusal when the answer is no.
   */
  async api<Answer>(request: string, body?: object): Promise<Answer> {
    const answer = (await this.ask(`$JS.API.${request}`, body && JSON.stringify(body))).json<Answer & Refusable>();
    if (answer.error !== undefined) throw new JetStreamRefusal(request, answer.error);
    return answer;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The connection is gone for now: nothing is sent, so that nothing old arrives later than it must. */
  disconnected(): void {
    this.#isConnected = false;
  }

  /** The connection is back: whatever was underway may be lost. */
  reconnected(): void {
    this.#isConnected = true;
    for (const [token, asked] of this.#asked) this.#send(token, asked);
  }

  /** Rejects what is unanswered and whatever is asked later. */
  close(reason: string): void {
    this.#closed = new NatsUnavailable(reason);
    clearInterval(this.#timer);
    for (const { reject } of this.#asked.values()) reject(this.#closed);
    this.#asked.clear();
  }

  #send(token: string, asked: Asked): void {
    if (!this.#isConnected) return;
    const { subject, payload, headers } = asked;
    asked.againAt = performance.now() + this.#timeoutMs / 3;
    try {
      this.#nc.publish(subject, payload, { reply: `${this.#inbox}.${token}`, ...(headers && { headers }) });
    } catch (cause) {
      this.#asked.delete(token);
      asked.reject(new NatsUnavailable('NATS could not be asked', { cause }));
    }
  }

  #take(error: Error | null, answer: Msg): void {
    if (error !== null) return this.close(`NATS gives no answers (${error.message})`);
    const token = answer.subject.slice(this.#inbox.length + 1);
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    if (answer.headers?.code === NO_RESPONDERS && answer.data.length === 0) {
      asked.againAt = performance.now() + TICK_MS;
      this.#listener.nobody();
      return;
    }
    this.#asked.delete(token);
    asked.resolve(answer);
  }

  #tick(): void {
    if (this.#asked.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const [token, asked] of this.#asked) {
      if (now >= asked.until) {
        this.#asked.delete(token);
        this.#listener.late();
        asked.reject(new NatsUnavailable(`NATS did not answer within ${this.#timeoutMs} ms`));
      } else if (now >= asked.againAt) this.#send(token, asked);
    }
  }
}
