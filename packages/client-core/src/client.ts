// The client: one session over any transport, and the transactions in it. Brings together those who do the work:
// connection-loop.ts, receive.ts, outbox.ts, reader.ts. Spec: §2–§4.

import { type Envelope, isId, type JsonValue, type Transport } from '@haip/protocol';
import type { ClientEvents, ClientState, Credentials, JoinOptions, StartOptions } from './client-events.ts';
import { ConnectionLoop } from './connection-loop.ts';
import { type ClientCore, type ClientStats, cursorsOf, type Keeping } from './core.ts';
import { Emitter } from './emitter.ts';
import { ClientError, ClosedError, refusedVerdict } from './errors.ts';
import { fieldsOf, jsonCopy } from './fields.ts';
import { OpenTransaction } from './open-transaction.ts';
import { type ClientOptions, isTransport, settingsOf } from './options.ts';
import { closedError, detach, flush, giveBack, type Outgoing, send } from './outbox.ts';
import type { Session, SessionEnd } from './session.ts';
import type { Cursor, Transaction, WaitOptions } from './transaction.ts';
import { readTransactionList, type TransactionList } from './transaction-list.ts';
import { orAborted } from './waiting.ts';

const disconnected = 'The client was disconnected.';

/** A client of a HAIP server. */
export class HAIPClient extends Emitter<ClientEvents> {
  readonly #core: ClientCore;
  readonly #keeping: Keeping | undefined;
  /** The JOINs that have no answer yet. */
  readonly #joining = new Map<string, Promise<unknown>>();
  #credentials: Credentials = () => undefined;
  #state: ClientState = { name: 'idle' };
  #loop: ConnectionLoop | undefined;
  #stopWaking = () => {};

  /** @throws RangeError for options that can not be meant. */
  constructor(options: ClientOptions) {
    const settings = settingsOf(options);
    super(settings.logger);
    const changed = (): void => this.#keeping?.changed();
    this.#core = {
      settings,
      stats: { duplicates: 0, faults: 0, connections: 0 },
      items: new Map(),
      retryWithinMs: 600_000,
      transactions: new Map(),
      cursors: new Map(),
      attempt: 0,
      changed,
      tellError: (error) => this.emit('error', error),
      tellFailed: (message) => this.emit('failed', message),
      authenticate: (forced) => this.#authenticate(forced),
      become: (state) => this.#become(state),
      opened: (session) => this.#opened(session),
      ended: (end) => this.#ended(end),
      stopped: (reason) => this.#close(reason),
    };
    this.#keeping = settings.outbox?.(this.#core);
  }

  /** With a kept outbox: where reading was in the transactions that were open before a reload, by their ids. */
  get cursors(): ReadonlyMap<string, Cursor> {
    return this.#core.cursors;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What was counted since the client was made. */
  get stats(): Readonly<ClientStats> {
    return this.#core.stats;
  }

  /**
   * Sets where credentials come from: called for each round of attempts and each move, may be async and has
   * `authenticateTimeoutMs`. When it throws before the client was ever connected, `connect` rejects; later the attempt
   * counts as failed and the next one asks again. When the server refuses what it gave, it is called once more, with
   * `forced`; refused again, the client stops.
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
    const isOurs = !this.#loop;
    const loop = this.#loop ?? this.#begin();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stopListening = this.on('state', (state) => {
      if (state.name === 'connected') resolve();
      if (state.name === 'disconnected') reject(state.reason ?? new ClosedError(disconnected));
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
   * Does not wait: dials now if the next attempt is waited for; if there is a connection, asks the server for a sign of
   * life and reconnects without one, in half the usual time. What `wake` tells of does the same.
   */
  reconnectNow(): void {
    this.#loop?.now();
  }

  /**
   * Moves the session to another transport, one of `transports` or any other; from now on that is the preferred one.
   * Resolves when it carries the session, with everything there was: nothing is lost and nothing comes twice. Until then
   * what carried it does, and goes on if the other one does not open. One move at a time; the next one waits.
   * @throws ClientError with code `not_moved` when the transport does not open; `cause` says why.
   * @throws ClosedError when `connect` was not called.
   */
  async useTransport(transport: Transport, { signal }: WaitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (!isTransport(transport)) throw new TypeError('transport: expected one, say webSocket({ url })');
    if (!this.#loop) throw closedError();
    await this.#loop.move(transport, signal);
  }

  /**
   * Disconnects and stays so. Everything that waits is settled: what was never written rejects with ClosedError, what
   * was written with UnknownOutcomeError, loops end. Transactions are closed; join them again by their cursors.
   */
  disconnect(): void {
    if (this.#loop) this.#close();
  }

  /** Starts a transaction with a tool. Goes on over reconnects; however often it was sent, it is started once. */
  async startTransaction(toolName: string, { params = {}, signal }: StartOptions = {}): Promise<Transaction> {
    const payload = { toolName, params: jsonCopy(params) };
    return this.#open('TRANSACTION_START', this.#core.settings.ids(), payload, signal);
  }

  /**
   * Takes part in a transaction that is there. With a cursor its conversation begins behind that.
   * @throws RefusedError with code TRANSACTION_NOT_FOUND when there is none that this user may read.
   */
  async joinTransaction(id: string, { cursor, signal }: JoinOptions = {}): Promise<Transaction> {
    if (!isId(id)) throw new TypeError('id: expected 1 to 128 characters of A-Z a-z 0-9 _ . : -');
    if (cursor && !(Number.isSafeInteger(cursor.position) && cursor.position >= 0 && typeof cursor.epoch === 'string'))
      throw new TypeError('cursor: expected { epoch, position } of a transaction');
    // One JOIN at a time: a second one would have the server read from its place instead.
    const joining = this.#joining;
    for (let other = joining.get(id); other; other = joining.get(id)) await orAborted(other, signal);
    const open = this.#core.transactions.get(id);
    if (open) return open;
    const payload = { epoch: cursor?.epoch, seq: cursor && String(cursor.position) };
    const joined = this.#open('TRANSACTION_JOIN', id, payload, signal, cursor ?? {});
    const over = (): unknown => joining.delete(id);
    joining.set(id, joined.then(over, over));
    return joined;
  }

  /** The transactions of this user, newest first, a page at a time. */
  async listTransactions({ after, signal }: WaitOptions & { readonly after?: string } = {}): Promise<TransactionList> {
    const draft = { type: 'TRANSACTION_LIST', transaction: null, payload: { after } };
    const answer = await send<Envelope>(this.#core, draft, signal);
    return readTransactionList(answer.payload);
  }

  /** Asks for a transaction, by default for a new log. Its reader is there before the next message is looked at. */
  async #open(
    type: string,
    reference: string,
    payload: JsonValue,
    signal: AbortSignal | undefined,
    cursor?: Partial<Cursor>,
  ): Promise<Transaction> {
    const core = this.#core;
    const { transactions } = core;
    let opened: OpenTransaction | undefined;
    const answered = (answer: Envelope, item: Outgoing): void => {
      const { verdict, epoch = '' } = fieldsOf(answer.payload);
      if (verdict === 'refused') return;
      const id = answer.transaction ?? reference;
      opened = transactions.get(id) ?? new OpenTransaction(id, core, cursor ?? { epoch });
      transactions.set(id, opened);
      // It may be stored, and then has a receipt.
      item.isSettled = true;
      item.transaction = id;
      this.#keeping?.opened(opened);
    };
    const answer = await send<Envelope>(core, { type, transaction: reference, payload, answered }, signal);
    if (!opened) throw refusedVerdict(fieldsOf(answer.payload).code);
    return opened;
  }

  #begin(): ConnectionLoop {
    const core = this.#core;
    const loop = new ConnectionLoop(core);
    this.#stopWaking = core.settings.wake(() => loop.now());
    this.#loop = loop;
    core.isOpen = true;
    void loop.begin();
    return loop;
  }

  async #authenticate(forced: boolean): Promise<JsonValue | undefined> {
    try {
      const auth = await this.#credentials({ forced });
      return auth === undefined ? undefined : jsonCopy(auth);
    } catch (cause) {
      throw new ClientError('authenticate', 'authenticate failed.', cause);
    }
  }

  #opened(session: Session): void {
    const core = this.#core;
    const { settings } = core;
    core.stats.connections++;
    const { resume_token, retry_within_ms = core.retryWithinMs } = session.welcome ?? {};
    core.token = resume_token;
    core.retryWithinMs = retry_within_ms;
    detach(core);
    core.session = session;
    for (const chat of core.transactions.values()) {
      for (const channel of chat.paused) chat.tellPaused('PAUSE_CHANNEL', channel);
    }
    for (const { transaction, ...payload } of session.takeOver ? cursorsOf(core) : []) {
      const id = settings.ids();
      const join = {
        id,
        type: 'TRANSACTION_JOIN',
        transaction,
        payload,
        number: 0,
        refusals: 0,
        resolve() {},
        reject() {},
      };
      // A user whose membership was forgotten becomes a member anew: then it is stored, and has a receipt.
      core.items.set(id, { ...join, isSettled: true });
      session.write(join);
    }
    flush(core);
    core.changed();
    this.#become({ name: 'connected', session: session.id, transport: session.transport.name });
  }

  #ended({ next, forget, error }: SessionEnd): void {
    const core = this.#core;
    detach(core);
    if (forget) core.token = undefined;
    core.changed();
    if (next === 'anew') giveBack(core, error, ({ writtenAt }) => writtenAt);
  }

  /** Ends everything: the application wanted it, or the server said to stay away. */
  #close(reason?: Error): void {
    const core = this.#core;
    const closed = new ClosedError(disconnected, reason);
    this.#stopWaking();
    this.#loop?.stop(closed);
    this.#loop = undefined;
    core.token = undefined;
    core.isOpen = false;
    detach(core);
    giveBack(core, closed);
    for (const transaction of core.transactions.values()) transaction.close(reason);
    core.changed();
    this.#become({ name: 'disconnected', reason });
  }

  #become(state: ClientState): void {
    this.#state = state;
    this.emit('state', state);
  }
}
