// The client: one session over any transport, and the transactions in it. Brings together those who do the work:
// connection-loop.ts, receive.ts, outbox.ts, reader.ts. Spec: §2–§4.

import { type Envelope, isId, type JsonObject, type JsonValue, type Transport } from '@haip/protocol';
import type { ClientEvents, ClientState, Credentials, JoinOptions, StartOptions } from './client-events.ts';
import { ConnectionLoop } from './connection-loop.ts';
import { Emitter } from './emitter.ts';
import { asError, ClosedError, type RefusedError, refusedVerdict } from './errors.ts';
import { fieldsOf, jsonCopy } from './fields.ts';
import type { ClientMemory, Keeping } from './memory.ts';
import { OpenTransaction } from './open-transaction.ts';
import { type ClientOptions, type Settings, settingsOf } from './options.ts';
import { notConnected, Outbox, type Outgoing } from './outbox.ts';
import type { ClientStats } from './reader.ts';
import { receive } from './receive.ts';
import type { Session, SessionEnd } from './session.ts';
import type { Cursor, Transaction, WaitOptions } from './transaction.ts';
import { readTransactionList, type TransactionList } from './transaction-list.ts';
import { orAborted } from './waiting.ts';

const disconnected = 'The client was disconnected.';

/** A client of a HAIP server. */
export class HAIPClient extends Emitter<ClientEvents> {
  readonly #settings: Settings;
  readonly #outbox: Outbox;
  /** The open transactions. */
  readonly #transactions = new Map<string | null, OpenTransaction>();
  /** The JOINs that have no answer yet. */
  readonly #joining = new Map<string, Promise<unknown>>();
  readonly #stats: ClientStats = { duplicates: 0, faults: 0, connections: 0 };
  #credentials: Credentials = () => undefined;
  #state: ClientState = { name: 'idle' };
  #loop: ConnectionLoop | undefined;
  readonly #memory: ClientMemory;
  readonly #keeping: Keeping | undefined;

  /** @throws RangeError for options that can not be meant. */
  constructor(options: ClientOptions) {
    const settings = settingsOf(options);
    super(settings.logger);
    this.#settings = settings;
    this.#outbox = new Outbox(settings, () => this.#changed());
    this.#memory = {
      token: undefined,
      attempt: 0,
      outbox: this.#outbox,
      transactions: this.#transactions,
      cursors: new Map(),
      tellFailed: (message) => this.emit('failed', message),
    };
    this.#keeping = settings.outbox?.(this.#memory, settings);
  }

  /** With a kept outbox: where reading was in the transactions that were open before a reload, by their ids. */
  get cursors(): ReadonlyMap<string, Cursor> {
    return this.#memory.cursors;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What was counted since the client was made. */
  get stats(): Readonly<ClientStats> {
    return this.#stats;
  }

  /**
   * Sets where credentials come from: called for each round of attempts and each move, may be async. When it throws before the client was ever
   * connected, `connect` rejects; later the attempt counts as failed and the next one asks again. When the server
   * refuses what it gave, it is called once more, with `forced`; refused again, the client stops.
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
    if (!this.#loop) throw new ClosedError(notConnected);
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
    return this.#open('TRANSACTION_START', this.#settings.ids(), payload, signal);
  }

  /**
   * Takes part in a transaction that is there. With a cursor its conversation begins behind that.
   * @throws RefusedError with code TRANSACTION_NOT_FOUND when there is none that this user may read.
   */
  async joinTransaction(id: string, { cursor, signal }: JoinOptions = {}): Promise<Transaction> {
    if (!isId(id)) throw new TypeError('id: expected 1 to 128 characters of A-Z a-z 0-9 _ . : -');
    // One JOIN at a time: a second one would have the server read from its place instead.
    const joining = this.#joining;
    for (let other = joining.get(id); other; other = joining.get(id)) await orAborted(other, signal);
    const open = this.#transactions.get(id);
    if (open) return open;
    const payload = { epoch: cursor?.epoch, seq: cursor?.position.toString() };
    const joined = this.#open('TRANSACTION_JOIN', id, payload, signal, cursor ?? {});
    const over = (): unknown => joining.delete(id);
    joining.set(id, joined.then(over, over));
    return joined;
  }

  /** The transactions of this user, newest first, a page at a time. */
  async listTransactions({ after, signal }: WaitOptions & { readonly after?: string } = {}): Promise<TransactionList> {
    const draft = { type: 'TRANSACTION_LIST', transaction: null, payload: { after } };
    const answer = await this.#outbox.add<Envelope>(draft, signal);
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
    const outbox = this.#outbox;
    const transactions = this.#transactions;
    const parts = { settings: this.#settings, outbox, stats: this.#stats };
    let opened: OpenTransaction | undefined;
    const answered = (answer: Envelope, item: Outgoing): void => {
      const fields = fieldsOf(answer.payload);
      if (fields.verdict === 'refused') return;
      const id = answer.transaction ?? reference;
      opened = transactions.get(id) ?? new OpenTransaction(id, parts, cursor ?? { epoch: fields.epoch ?? '' });
      if (!transactions.has(id)) {
        transactions.set(id, opened);
        outbox.adopt(opened);
        opened.on('closed', (reason) => {
          transactions.delete(id);
          // What was written is answered yet: with an ERROR, after a verdict that refused.
          if (reason) outbox.giveBack(reason, ({ transaction, number }) => transaction === id && !number);
          // Its place stands still from now on: nobody could tell an answer from what comes live.
          else if (!opened?.conversation.ended) outbox.abandon(new ClosedError(id), ({ asker }) => asker === opened);
        });
      }
      opened.own.set(item.id, item);
      this.#keeping?.opened(opened);
    };
    const answer = await outbox.add<Envelope>({ type, transaction: reference, payload, answered }, signal);
    if (!opened) throw refusedVerdict(fieldsOf(answer.payload).code);
    return opened;
  }

  #begin(): ConnectionLoop {
    this.#outbox.isOpen = true;
    const memory = this.#memory;
    const parts = {
      outbox: this.#outbox,
      transactions: this.#transactions,
      stats: this.#stats,
      changed: () => this.#changed(),
      tell: (error: RefusedError) => this.emit('error', error),
    };
    const loop = new ConnectionLoop(this.#settings, {
      authenticate: async (forced) => {
        const auth = await this.#credentials({ forced });
        return { auth: auth === undefined ? undefined : jsonCopy(auth) };
      },
      greet: (cursors) => {
        const attempt = String(++memory.attempt);
        const resume = cursors && this.#transactions.size > 0 ? this.#cursors() : undefined;
        this.#changed();
        return { resume_token: memory.token, attempt, resume };
      },
      become: (state) => this.#become(state),
      opened: (...how) => this.#opened(...how),
      receive: (received, session) => receive(received, session, parts),
      drained: () => this.#outbox.flush(),
      ended: (end) => this.#ended(end),
    });
    this.#loop = loop;
    const stopListening = this.#settings.wake(() => loop.now());
    const over = (reason: Error | undefined): void => {
      stopListening();
      if (this.#loop === loop) this.#close(reason);
    };
    loop.run().catch(asError).then(over);
    return loop;
  }

  /** Where reading is in each log. */
  #cursors(): (JsonObject & { readonly transaction: string })[] {
    return [...this.#transactions.values()].map(({ id, epoch, read }) => ({
      transaction: id,
      epoch,
      seq: epoch && String(read),
    }));
  }

  #opened(session: Session, { name }: Transport, moved: boolean): void {
    const outbox = this.#outbox;
    this.#stats.connections++;
    const { resume_token, retry_within_ms = outbox.retryWithinMs } = session.welcome ?? {};
    this.#memory.token = resume_token;
    outbox.retryWithinMs = retry_within_ms;
    outbox.detach();
    outbox.session = session;
    for (const chat of this.#transactions.values()) {
      for (const channel of chat.paused) chat.tellPaused('PAUSE_CHANNEL', channel);
    }
    for (const { transaction, ...payload } of moved ? this.#cursors() : []) {
      const join = { id: this.#settings.ids(), type: 'TRANSACTION_JOIN', transaction, payload };
      // A user whose membership was forgotten becomes a member anew: then it is stored, and has a receipt.
      this.#transactions.get(transaction)?.expectJoin(join);
      session.write(join);
    }
    outbox.flush();
    this.#changed();
    this.#become({ name: 'connected', session: session.id, transport: name });
  }

  #ended({ next, forget, error }: SessionEnd): void {
    this.#outbox.detach();
    if (forget) this.#memory.token = undefined;
    this.#changed();
    if (next === 'anew') this.#outbox.giveBack(error, ({ writtenAt }) => writtenAt);
  }

  #changed(): void {
    this.#keeping?.changed();
  }

  /** Ends everything: the application wanted it, or the server said to stay away. */
  #close(reason?: Error): void {
    const closed = new ClosedError(disconnected, reason);
    this.#loop?.stop(closed);
    this.#loop = undefined;
    this.#memory.token = undefined;
    this.#outbox.isOpen = false;
    this.#outbox.detach();
    this.#outbox.giveBack(closed);
    for (const transaction of this.#transactions.values()) transaction.close(reason);
    this.#changed();
    this.#become({ name: 'disconnected', reason });
  }

  #become(state: ClientState): void {
    this.#state = state;
    this.emit('state', state);
  }
}
