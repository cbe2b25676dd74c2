// The client: one session over any transport, and the transactions in it. Joins the parts; each concern has its owner
// (connection-loop.ts, outbox.ts, reader.ts).

import type { JsonValue } from '@haip/protocol';
import { ask } from './ask.ts';
import { keepConnected } from './connection-loop.ts';
import { Emitter } from './emitter.ts';
import { asError, ClientError, ClosedError, type RefusedError } from './errors.ts';
import { jsonCopy } from './json-copy.ts';
import { type ClientOptions, type Settings, settingsOf } from './options.ts';
import { Outbox } from './outbox.ts';
import type { ClientStats } from './reader.ts';
import { Router } from './router.ts';
import type { Session, SessionEnd } from './session.ts';
import type { Transaction, WaitOptions } from './transaction.ts';
import type { Cursor } from './transaction-events.ts';
import { readTransactionList, type TransactionList } from './transaction-list.ts';
import { Transactions } from './transactions.ts';
import { orAborted } from './waiting.ts';

/** What a client is at. */
export type ClientState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'connected'; readonly session: string }
  /** The connection is gone, for `reason`; the next attempt begins in `retryInMs`. */
  | { readonly name: 'waiting'; readonly retryInMs: number; readonly reason: Error }
  /** It stays so until `connect` is called again. Without a reason it was the application's own doing. */
  | { readonly name: 'disconnected'; readonly reason: Error | undefined };

export interface ClientEvents {
  state: ClientState;
  /** An ERROR of the server that answers nothing this client sent. */
  error: RefusedError;
}

/** Gives the credentials for the next attempt, in whatever shape the server's authenticator takes. */
export type Credentials = () => unknown;

export interface StartOptions extends WaitOptions {
  readonly params?: JsonValue | undefined;
}

export interface JoinOptions extends WaitOptions {
  /** Where to go on from. Without it: from the first entry that is kept. */
  readonly cursor?: Cursor | undefined;
}

/** A client of a HAIP server. */
export class HAIPClient {
  readonly #settings: Settings;
  readonly #events: Emitter<ClientEvents>;
  readonly #outbox: Outbox;
  readonly #transactions: Transactions;
  readonly #router: Router;
  readonly #stats: ClientStats = { duplicates: 0, faults: 0, connections: 0 };
  #credentials: Credentials = () => undefined;
  #state: ClientState = { name: 'idle' };
  #loop: AbortController | undefined;
  #session: Session | undefined;
  #token: string | undefined;
  #attempt = 0;

  /** @throws RangeError for options that can not be meant. */
  constructor(options: ClientOptions) {
    const settings = settingsOf(options);
    const { clock, random, reconnect, logger } = settings;
    this.#settings = settings;
    this.#events = new Emitter(logger);
    this.#outbox = new Outbox({ clock, random, delays: reconnect });
    const parts = { outbox: this.#outbox, stats: this.#stats };
    this.#transactions = new Transactions({ ...parts, ids: settings.ids, logger });
    this.#router = new Router({
      ...parts,
      transactions: this.#transactions,
      unclaimed: (error) => this.#events.emit('error', error),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What was counted since the client was made. */
  get stats(): Readonly<ClientStats> {
    return this.#stats;
  }

  /** Calls `listener` at each event of that name until the function it gives is called. What it throws is logged. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Sets where credentials come from: called for each attempt, may be async. When it throws before the client was ever
   * connected, `connect` rejects; later the attempt counts as failed and the next one asks again.
   */
  authenticate(credentials: Credentials): void {
    this.#credentials = credentials;
  }

  /**
   * Connects, and stays so: a connection that is lost is made anew until `disconnect`. Resolves when the client is
   * connected, however many attempts that takes; an abort before that ends the attempts that this call began.
   * @throws RefusedError when the server refuses the credentials, and whatever else ends the attempts for good.
   */
  async connect({ signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state.name === 'connected') return;
    const isOurs = this.#loop === undefined;
    const loop = this.#loop ?? this.#begin();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopListening = this.#events.on('state', (state) => {
      if (state.name === 'connected') resolve();
      if (state.name === 'disconnected') reject(state.reason ?? new ClosedError('The client'));
    });
    try {
      await orAborted(promise, signal);
    } catch (error) {
      if (isOurs && signal?.aborted && this.#loop === loop) this.disconnect();
      throw error;
    } finally {
      stopListening();
    }
  }

  /**
   * Disconnects and stays so. Everything that waits is settled: what was never written rejects with ClosedError, what
   * was written with UnknownOutcomeError, loops end. Transactions are closed; join them again by their cursors.
   */
  disconnect(): void {
    if (this.#loop !== undefined) this.#close(undefined);
  }

  /** Starts a transaction with a tool. Goes on over reconnects; however often it was sent, it is started once. */
  async startTransaction(toolName: string, { params = {}, signal }: StartOptions = {}): Promise<Transaction> {
    return this.#transactions.start(toolName, jsonCopy(params), signal);
  }

  /**
   * Takes part in a transaction that is there. With a cursor its conversation begins behind that.
   * @throws RefusedError with code TRANSACTION_NOT_FOUND when there is none that this user may read.
   */
  async joinTransaction(id: string, { cursor, signal }: JoinOptions = {}): Promise<Transaction> {
    return this.#transactions.join(id, cursor, signal);
  }

  /** The transactions of this user, newest first, a page at a time. */
  async listTransactions(options: WaitOptions & { readonly after?: string } = {}): Promise<TransactionList> {
    const { after, signal } = options;
    const draft = { id: this.#settings.ids(), type: 'TRANSACTION_LIST', transaction: null, payload: { after } };
    const { payload } = await ask(this.#outbox, draft, signal);
    return readTransactionList(payload);
  }

  #begin(): AbortController {
    const loop = new AbortController();
    this.#loop = loop;
    this.#outbox.open = true;
    const owner = {
      authenticate: async (): Promise<JsonValue | undefined> => {
        const auth = await this.#credentials();
        return auth === undefined ? undefined : jsonCopy(auth);
      },
      greeting: (auth: JsonValue | undefined) => ({
        auth,
        token: this.#token,
        attempt: ++this.#attempt,
        resume: this.#transactions.resumeItems(),
      }),
      connecting: () => this.#become({ name: 'connecting' }),
      opened: (session: Session) => this.#opened(session),
      receive: this.#router.receive.bind(this.#router),
      drained: () => this.#outbox.flush(),
      ended: (end: SessionEnd) => this.#ended(end),
      waiting: (retryInMs: number, reason: Error) => this.#become({ name: 'waiting', retryInMs, reason }),
    };
    keepConnected(this.#settings, owner, loop.signal).then(
      (reason) => {
        if (!loop.signal.aborted) this.#close(reason);
      },
      (error: unknown) => this.#close(asError(error)),
    );
    return loop;
  }

  #opened(session: Session): void {
    this.#session = session;
    this.#stats.connections++;
    const { plain, token, retryWithinMs } = session.welcome ?? {};
    this.#token = token;
    if (retryWithinMs !== undefined) this.#outbox.retryWithinMs = retryWithinMs;
    this.#transactions.plain = plain ? { session: session.id } : undefined;
    if (plain) this.#transactions.close(new ClientError('lost', 'The server keeps no log to go on from.'));
    this.#outbox.attach(session);
    this.#become({ name: 'connected', session: session.id });
  }

  #ended({ next, forget, error }: SessionEnd): void {
    const wasPlain = this.#session?.plain;
    this.#session = undefined;
    this.#outbox.detach();
    if (forget) this.#token = undefined;
    if (next === 'anew') this.#outbox.giveBackWritten(error);
    if (wasPlain) this.#transactions.close(error);
  }

  /** Ends everything: the application wanted it, or the server said to stay away. */
  #close(reason: Error | undefined): void {
    this.#loop?.abort(reason);
    this.#loop = undefined;
    this.#session = undefined;
    this.#token = undefined;
    this.#outbox.open = false;
    this.#outbox.detach();
    this.#outbox.close(new ClosedError('The client', reason));
    this.#transactions.close(reason);
    this.#become({ name: 'disconnected', reason });
  }

  #become(state: ClientState): void {
    this.#state = state;
    this.#events.emit('state', state);
  }
}
