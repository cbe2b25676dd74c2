// A connection with somebody behind it: takes its messages in order of their numbers, routes each to the transaction
// it belongs to, keeps what is settled. Begins at the open connection, ends with it; the transactions go on. Spec: §2, §3.

import {
  type CloseCode,
  type Connection,
  checkFromClient,
  currentName,
  type Envelope,
  type EventType,
  eventType,
  eventTypes,
  Fault,
  type Incoming,
  judgeNumber,
  type PeerInfo,
  type Received,
  readDecimal,
  type Terms,
  type Timer,
} from '@haip/protocol';
import type { KnownUser } from './authentication.ts';
import type { ServerContext } from './context.ts';
import { readSubmission, type Submission } from './drafting.ts';
import { ErrorBudget } from './error-budget.ts';
import { haiPayload, judgeHai, type Welcome } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { Outbound } from './outbound.ts';
import type { Participant } from './participation.ts';
import { answerRequest } from './requests.ts';
import { Settlement } from './settlement.ts';
import { soon } from './soon.ts';
import { Stop } from './stop.ts';
import { Transactions } from './transactions.ts';

type Phase = 'hai' | 'verdict' | 'open' | 'ended';

const plainTerms: Terms = { transactionLog: false, binaryFrames: false, events: undefined };

export class Session implements Participant {
  readonly context: ServerContext;
  readonly outbound: Outbound;
  readonly #connection: Connection;
  readonly #info: PeerInfo;
  readonly #settlement = new Settlement();
  /** Ends the question that is out to the authenticator. */
  #asking: Stop | undefined;
  #phase: Phase = 'hai';
  #timer: Timer | undefined;
  #heartbeat: Heartbeat | undefined;
  #budget: ErrorBudget | undefined;
  #held: Incoming[] | undefined;
  #heldBytes = 0;
  #haiId = '';
  #refreshing = false;
  #acknowledging = false;
  #user: KnownUser | undefined;
  #transactions: Transactions | undefined;
  terms: Terms = plainTerms;
  attempt = 0;

  constructor(context: ServerContext, connection: Connection, info: PeerInfo) {
    this.context = context;
    this.#connection = connection;
    this.#info = info;
    this.outbound = new Outbound(context, connection, this.#settlement);
  }

  get id(): string {
    return this.outbound.session;
  }

  get user(): KnownUser {
    if (this.#user === undefined) throw new Error('the session has no user before its HAI was granted');
    return this.#user;
  }

  /** Raw bytes may travel beside the text: the link can and the peer said so. */
  get binary(): boolean {
    return this.#connection.supports.binary && this.terms.binaryFrames;
  }

  /** Serves the connection until it ends, then leaves the others it was `among`. Never rejects. */
  async run(among: Set<Session>): Promise<void> {
    const { clock, limits } = this.context;
    this.#timer = clock.timer(limits.haiTimeoutMs, () => this.close(4408, 'no HAI in time'));
    try {
      for await (const batch of this.#connection) {
        for (const incoming of batch) this.#take(incoming);
      }
    } catch (error) {
      this.fail(error);
    }
    await this.#connection.closed;
    this.end();
    among.delete(this);
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<unknown> {
    return this.#connection.closed;
  }

  close(code: CloseCode, reason: string): void {
    this.end();
    this.#connection.close(code, reason);
  }

  /** Stops all that this connection had going on. Nothing is read for it, or taken from it, afterwards. */
  end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#timer?.cancel();
    this.#heartbeat?.stop();
    this.#asking?.stop(new Error('the connection has ended'));
    this.#transactions?.close();
    if (this.context.sessions.get(this.id) === this) this.context.sessions.delete(this.id);
  }

  fail(error: unknown): void {
    this.context.log('error', 'connection failed', { session: this.id, error });
    this.close(1011, 'server fault');
  }

  settle({ envelope }: Submission): void {
    this.#settled(envelope);
  }

  refuse({ envelope }: Submission, fault: Fault): void {
    this.reject(envelope, fault);
  }

  /** Whether this connection reads a transaction for that user. */
  reads(transaction: string, user: string): boolean {
    return this.#user?.id === user && this.#transactions?.reads(transaction) === true;
  }

  /** Answers a message with an ERROR. */
  reject(envelope: Envelope, fault: Fault): void {
    if (this.#phase === 'ended') return;
    this.outbound.refuse(fault, envelope.id, envelope.transaction);
    this.#settled(envelope);
    this.#spend(fault);
  }

  /** A message was acted on. */
  done(envelope: Envelope): void {
    this.#settled(envelope);
  }

  #settled(envelope: Envelope): void {
    if (!this.terms.transactionLog) return;
    this.#settlement.settle(readDecimal(envelope.seq));
    this.#acknowledgeSoon();
  }

  /** After whatever this turn of the event loop still writes, so that the `ack` rides along. */
  #acknowledgeSoon(): void {
    if (this.#acknowledging) return;
    this.#acknowledging = true;
    soon(this.#acknowledge);
  }

  readonly #acknowledge = (): void => {
    this.#acknowledging = false;
    if (this.#phase === 'open') this.outbound.acknowledge();
  };

  #take(incoming: Incoming): void {
    if (this.#phase === 'open') this.#receive(incoming);
    else if (this.#phase === 'hai') this.#takeFirst(incoming);
    else if (this.#phase === 'verdict') this.#hold(incoming);
  }

  #takeFirst(incoming: Incoming): void {
    if (incoming instanceof Fault) return this.#turnAway(incoming);
    const { envelope } = incoming;
    if (envelope.type !== 'HAI') {
      const named = { relatedId: envelope.id, transaction: envelope.transaction };
      return this.#turnAway(new Fault('PROTOCOL_VIOLATION', { ...named, expected: 'HAI first', got: 'another type' }));
    }
    this.#phase = 'verdict';
    this.#haiId = envelope.id;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#asking = new Stop();
    judgeHai(this.context, envelope, this.#info, this.#asking)
      .then((verdict) => {
        if (this.#phase !== 'verdict') return;
        if (verdict instanceof Fault) this.#turnAway(verdict, envelope.id);
        else this.#welcome(verdict, envelope);
      })
      .catch((error: unknown) => this.fail(error));
  }

  #turnAway(fault: Fault, relatedId = fault.relatedId): void {
    this.outbound.refuse(fault, relatedId);
    this.close(fault.close ?? 1008, fault.code);
  }

  /** Keeps what was pipelined behind the HAI, to a small cap. */
  #hold(incoming: Incoming): void {
    const { limits } = this.context;
    if (!(incoming instanceof Fault)) {
      if (incoming.envelope.type === 'HAI') {
        if (incoming.envelope.id !== this.#haiId) this.close(4429, 'a HAI while another is pending');
        return;
      }
      this.#heldBytes += incoming.size;
    }
    this.#held ??= [];
    this.#held.push(incoming);
    if (this.#held.length > limits.maxHeldMessages || this.#heldBytes > limits.maxHeldBytes) {
      this.close(4429, 'too much before the verdict');
    }
  }

  #welcome(welcome: Welcome, hai: Envelope): void {
    if (welcome.terms.transactionLog && hai.seq !== '1') {
      return this.#turnAway(new Fault('SEQ_VIOLATION', { expected: '1', got: 'another number', close: 1008 }), hai.id);
    }
    const live = this.context.sessions.get(welcome.session);
    if (live !== undefined && live.attempt > welcome.attempt) return this.close(4409, 'superseded');
    live?.close(4409, 'superseded');
    this.#phase = 'open';
    this.#user = welcome.user;
    this.terms = welcome.terms;
    this.attempt = welcome.attempt;
    this.outbound.session = welcome.session;
    this.outbound.acknowledges = welcome.terms.transactionLog;
    this.context.sessions.set(welcome.session, this);
    this.#settlement.take(1);
    this.#settlement.settle(1);
    this.outbound.say({ type: 'HAI', relatedId: hai.id, payload: haiPayload(this.context, welcome) });
    this.#beginHeartbeat();
    for (const item of welcome.resume) this.#inTransactions().resume(hai, item);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const incoming of held) this.#take(incoming);
  }

  #beginHeartbeat(): void {
    this.#heartbeat = new Heartbeat(this.context.clock, this.context.limits, this.#connection, this);
  }

  /** Asks for a sign of life. A plain v1 client answers only a few PINGs in its life; the link's own sign keeps it. */
  ping(): void {
    if (this.terms.transactionLog) this.outbound.say({ type: 'PING', payload: {} });
    else this.#connection.probe();
  }

  /** The peer gave no sign of life. */
  giveUp(): void {
    this.close(1001, 'no sign of life');
  }

  #receive(incoming: Incoming): void {
    if (incoming instanceof Fault) return this.#receiveFault(incoming);
    const { envelope } = incoming;
    if (this.terms.transactionLog && !this.#count(envelope.seq, envelope.id)) return;
    const event = eventType(envelope.type);
    if (event === undefined) return this.#unknown(incoming);
    const fault = checkFromClient(envelope, event);
    if (fault !== undefined) return this.reject(envelope, fault);
    this.#route(incoming, event);
  }

  /** Takes a message's number. False when there is nothing to do with the message. */
  #count(seq: string, id: string | undefined): boolean {
    const number = readDecimal(seq);
    const { taken } = this.#settlement;
    const verdict = judgeNumber(taken, number);
    if (verdict === 'take') {
      this.#settlement.take(number);
      return true;
    }
    if (verdict === 'repeat') {
      this.#settlement.repeat();
      this.#acknowledgeSoon();
    } else {
      const expected = String(taken + 1);
      this.outbound.refuse(new Fault('SEQ_VIOLATION', { expected, got: 'a higher number' }), id);
    }
    return false;
  }

  #receiveFault(fault: Fault): void {
    const isCounted = this.terms.transactionLog && fault.seq !== undefined;
    if (isCounted && !this.#count(fault.seq, fault.relatedId)) return;
    this.outbound.refuse(fault);
    if (isCounted) {
      this.#settlement.settle(this.#settlement.taken);
      this.#acknowledgeSoon();
    }
    if (fault.close !== undefined) this.close(fault.close, fault.code);
    else this.#spend(fault);
  }

  #spend({ code }: Fault): void {
    if (code !== 'PROTOCOL_VIOLATION' && code !== 'UNSUPPORTED_TYPE') return;
    this.#budget ??= new ErrorBudget(this.context.limits.maxProtocolErrors);
    if (!this.#budget.spend(this.context.clock.monotonic())) this.close(1008, 'too many protocol errors');
  }

  /** An old name is read as what it is called today. Else ignored, unless its sender says that it must not be. */
  #unknown({ envelope, bytes, size }: Received): void {
    const type = currentName(envelope.type);
    if (type !== undefined) {
      const renamed = { ...envelope, type };
      const event = eventTypes[type];
      const fault = checkFromClient(renamed, event);
      return fault === undefined
        ? this.#route({ envelope: renamed, bytes, size }, event)
        : this.reject(envelope, fault);
    }
    if (envelope.crit !== true) return this.#settled(envelope);
    this.reject(envelope, new Fault('UNSUPPORTED_TYPE', { expected: 'a known type', got: 'an unknown one' }));
  }

  #route({ envelope, bytes, size }: Received, event: EventType): void {
    const { transaction, type } = envelope;
    if (type === 'HAI') return this.#hear(envelope);
    if (type === 'TRANSACTION_START') return this.#inTransactions().start(envelope);
    if (!event.stored && answerRequest(this, envelope)) return;
    if (transaction === null) {
      return this.reject(envelope, new Fault('PROTOCOL_VIOLATION', { expected: 'transaction: an id', got: 'null' }));
    }
    if (type === 'TRANSACTION_JOIN') return this.#inTransactions().join(envelope);
    if (type === 'TRANSACTION_LEAVE') return this.#inTransactions().leave(envelope);
    if (type === 'REPLAY_REQUEST') return this.#inTransactions().replay(envelope);
    const submission = readSubmission(envelope, bytes, size);
    if (submission instanceof Fault) return this.reject(envelope, submission);
    this.#inTransactions().write(submission);
  }

  #inTransactions(): Transactions {
    this.#transactions ??= new Transactions(this);
    return this.#transactions;
  }

  /** A later HAI: refreshes what the same user may do, and nothing else. */
  #hear(hai: Envelope): void {
    if (hai.id === this.#haiId) return this.#settled(hai);
    if (this.#refreshing) return this.close(4429, 'a HAI while another is pending');
    this.#refreshing = true;
    this.#haiId = hai.id;
    this.#asking = new Stop();
    judgeHai(this.context, hai, this.#info, this.#asking, this.id)
      .then((verdict) => {
        this.#refreshing = false;
        if (this.#phase === 'open') this.#refresh(hai, verdict);
      })
      .catch((error: unknown) => this.fail(error));
  }

  #refresh(hai: Envelope, verdict: Welcome | Fault): void {
    if (verdict instanceof Fault) return this.reject(hai, verdict);
    if (verdict.user.id !== this.user.id) {
      this.reject(hai, new Fault('AUTHENTICATION_FAILED', { expected: 'the same user' }));
      return this.close(1008, 'another user');
    }
    this.#user = verdict.user;
    this.#transactions?.recheck();
    this.#settled(hai);
    this.outbound.say({ type: 'HAI', relatedId: hai.id, payload: haiPayload(this.context, verdict) });
  }
}
