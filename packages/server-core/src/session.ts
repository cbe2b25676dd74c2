// A connection with somebody behind it: lets in who may come in, then routes each message to the transaction it belongs
// to. Begins at the open connection, ends with it; the transactions go on. Spec: §2.

import {
  type CloseCode,
  type Connection,
  type ConnectionSupports,
  type Envelope,
  type EventType,
  Fault,
  type Incoming,
  mayRetry,
  type PeerInfo,
  type Received,
  type Terms,
  type Timer,
} from '@haip/protocol';
import { isMembership, isSaidOnce } from './access.ts';
import { Alarm } from './alarm.ts';
import type { KnownUser } from './authentication.ts';
import type { ServerContext } from './context.ts';
import { deadline } from './deadline.ts';
import { readSubmission } from './drafting.ts';
import type { Countable } from './flow.ts';
import type { Guest } from './guest.ts';
import { haiPayload, judgeHai, revoked, type Welcome } from './handshake.ts';
import { Heartbeat } from './heartbeat.ts';
import { Intake, type IntakeOwner } from './intake.ts';
import { Outbound } from './outbound.ts';
import type { Participant } from './participation.ts';
import { Renewal } from './renewal.ts';
import { answerRequest } from './requests.ts';
import { usedId } from './retry.ts';
import { Settlement } from './settlement.ts';
import { work } from './soon.ts';
import { Stop } from './stop.ts';
import { Transactions } from './transactions.ts';

type Phase = 'hai' | 'verdict' | 'open' | 'ended';

const expired = new Fault('AUTHENTICATION_FAILED', { expected: 'credentials that have not expired', close: 1008 });
const plainTerms: Terms = { transactionLog: false, binaryFrames: false, events: undefined, flow: undefined };

export class Session implements Participant, IntakeOwner {
  static #count = 0;
  /** Tells which of two connections came first. */
  readonly #number = ++Session.#count;
  readonly context: ServerContext;
  readonly outbound: Outbound;
  readonly #connection: Connection;
  readonly #info: PeerInfo;
  /** Undefined for a connection from this machine. */
  readonly guest: Guest | undefined;
  readonly #settlement = new Settlement();
  /** Ends the question that is out to the authenticator. */
  #asking: Stop | undefined;
  #phase: Phase = 'hai';
  #timer: Timer | undefined;
  #heartbeat: Heartbeat | undefined;
  #expiry: Alarm | undefined;
  #held: Incoming[] | undefined;
  #heldBytes = 0;
  #pongWaits = false;
  #haiId = '';
  #renewal: Renewal | undefined;
  #intake: Intake | undefined;
  #user: KnownUser | undefined;
  #transactions: Transactions | undefined;
  terms: Terms = plainTerms;
  attempt = 0;

  constructor(context: ServerContext, connection: Connection, info: PeerInfo, guest: Guest | undefined) {
    this.context = context;
    this.#connection = connection;
    this.#info = info;
    this.guest = guest;
    this.outbound = new Outbound(context, connection, this.#settlement, () =>
      this.close(4008, 'the link does not drain'),
    );
  }

  get id(): string {
    return this.outbound.session;
  }

  get user(): KnownUser {
    if (this.#user === undefined) throw new Error('the session has no user before its HAI was granted');
    return this.#user;
  }

  /** The id of the HAI that was granted. */
  get hai(): string {
    return this.#haiId;
  }

  get unsentBytes(): number {
    return this.#connection.unsent ?? 0;
  }

  get supports(): ConnectionSupports {
    return this.#connection.supports;
  }

  /** Raw bytes may travel beside the text: the link can and the peer said so. */
  get binary(): boolean {
    return this.supports.binary && this.terms.binaryFrames;
  }

  /** Serves the connection until it ends, then leaves the others it was `among`. Never rejects. */
  async run(among: Set<Session>): Promise<void> {
    const { clock, limits } = this.context;
    this.#timer = deadline(clock, limits.haiTimeoutMs, () => this.close(4408, 'no HAI in time'));
    try {
      for await (const batch of this.#connection) work(this, Session.#takeAll, batch);
    } catch (error) {
      this.fail(error);
    }
    await this.#connection.closed;
    this.end();
    among.delete(this);
    this.guest?.leave();
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
    this.#expiry?.cancel();
    this.outbound.end();
    this.#asking?.stop(new Error('the connection has ended'));
    this.#renewal?.end();
    this.#transactions?.close();
    if (this.context.sessions.get(this.id) === this) this.context.sessions.delete(this.id);
    if (this.#user !== undefined) this.context.users.leave(this);
  }

  fail(error: unknown): void {
    this.context.log('error', 'connection failed', { session: this.id, error });
    this.close(1011, 'server fault');
  }

  /** Whether this connection reads a transaction. */
  reads(transaction: string): boolean {
    return this.#transactions?.reads(transaction) === true;
  }

  /** Refuses a message that is not stored. A fault that is final gives back what the message was charged. */
  refuse(envelope: Envelope, fault: Fault): void {
    if (!mayRetry(fault) && fault !== usedId) this.context.charges?.forgive(this.user.id, envelope);
    this.reject(envelope, fault);
  }

  /** Answers a message with an ERROR. Its id may be that of another one, which is stored. */
  reject(envelope: Envelope, fault: Fault): void {
    this.#intake?.reject(envelope, fault);
  }

  /** A message was acted on. */
  done(envelope: Envelope): void {
    this.#intake?.settle(envelope);
  }

  /** Says what the user may still spend. */
  tellBalance(credits: number): void {
    if (this.isOpen && this.terms.transactionLog) {
      this.outbound.say({ type: 'INFO', payload: { kind: 'balance', credits } });
    }
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  static #takeAll(session: Session, batch: Incoming[]): void {
    session.guest?.refill();
    for (const incoming of batch) session.#take(incoming);
    // Else the loop would hold it until the next one comes, a HAI with its credentials.
    batch.length = 0;
  }

  #take(incoming: Incoming): void {
    if (this.#phase === 'open') this.#takeIn(incoming);
    else if (this.#phase === 'hai') this.#takeFirst(incoming);
    else if (this.#phase === 'verdict') this.#hold(incoming);
  }

  #takeIn(incoming: Incoming): void {
    const limited = this.guest?.take(incoming);
    if (limited?.close !== undefined) this.#turnAway(limited);
    else this.#intake?.take(incoming, limited);
  }

  /** Whether a PING is to be answered: not while the link takes nothing and one answer waits. */
  owesPong(): boolean {
    const owes = !(this.outbound.waits && this.#pongWaits);
    this.#pongWaits = this.outbound.waits;
    return owes;
  }

  #takeFirst(incoming: Incoming): void {
    if (incoming instanceof Fault) return this.#turnAway(incoming);
    const { envelope } = incoming;
    if (envelope.type !== 'HAI') {
      const named = { relatedId: envelope.id, transaction: envelope.transaction };
      return this.#turnAway(new Fault('PROTOCOL_VIOLATION', { ...named, expected: 'HAI first', got: 'another type' }));
    }
    const barred = this.guest?.barred();
    if (barred !== undefined) return this.#turnAway(barred, envelope.id);
    this.#phase = 'verdict';
    this.#haiId = envelope.id;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#asking = new Stop();
    judgeHai(this.context, envelope, this.#info, this.#asking)
      .then((verdict) => {
        this.#asking = undefined;
        if (this.#phase !== 'verdict') return;
        this.guest?.judged(verdict);
        if (verdict instanceof Fault) this.#turnAway(verdict, envelope.id);
        else this.#welcome(verdict, envelope);
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** The user's rights have ended, whatever they once were. */
  endRights(): void {
    this.#turnAway(revoked);
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
    if (live?.isNewer(welcome.attempt, this.#number)) return this.close(4409, 'superseded');
    live?.close(4409, 'superseded');
    const crowded = this.guest?.begin(welcome.user.id);
    if (crowded !== undefined) return this.#turnAway(crowded, hai.id);
    this.#phase = 'open';
    this.#user = welcome.user;
    this.terms = welcome.terms;
    this.attempt = welcome.attempt;
    this.outbound.session = welcome.session;
    this.outbound.acknowledges = welcome.terms.transactionLog;
    this.context.sessions.set(welcome.session, this);
    if (welcome.isResumed) this.context.nodes.came({ session: welcome.session, attempt: welcome.attempt, hai: hai.id });
    this.context.users.enter(this);
    this.#intake = new Intake(this, this.#settlement, welcome.terms.transactionLog);
    this.outbound.say({ type: 'HAI', relatedId: hai.id, payload: haiPayload(this.context, welcome, this.supports) });
    this.#beginHeartbeat();
    this.#watchExpiry();
    for (const item of welcome.resume) this.transactions.resume(hai, item);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const incoming of held) this.#take(incoming);
  }

  /** A request that opens a stream may come twice, and be judged in any order: the one that came last has a reader. */
  isNewer(attempt: number, number: number): boolean {
    return this.attempt === attempt ? this.#number > number : this.attempt > attempt;
  }

  /** Ends the connection when its user's rights end. */
  #watchExpiry(): void {
    const { expiresAt } = this.user;
    this.#expiry?.cancel();
    if (expiresAt === undefined) return;
    this.#expiry ??= new Alarm(this.context.clock, () => this.#turnAway(expired));
    this.#expiry.set(expiresAt);
  }

  #beginHeartbeat(): void {
    this.#heartbeat = new Heartbeat(this.context.clock, this.context.limits, this.#connection, this);
  }

  /** Asks for a sign of life. A plain v1 client answers only a few PINGs in its life; the link's own sign keeps it. */
  ping(): void {
    if (this.terms.transactionLog) this.outbound.say({ type: 'PING', payload: {} });
    else this.#connection.probe();
  }

  /** The peer gave no sign of life. What it says comes late where the PING itself waits on a slow link, which ends that. */
  giveUp(): void {
    if (this.outbound.waits) return this.#beginHeartbeat();
    this.close(1001, 'no sign of life');
  }

  /** Passes a message on to where it belongs. */
  route({ envelope, bytes, size }: Received, event: EventType, limited: Fault | undefined): void {
    const { transaction, type } = envelope;
    // Only what may be stored already has to be looked up first.
    if (limited !== undefined && !isSaidOnce(type) && (transaction === null || !event.stored || isMembership(type))) {
      return this.reject(envelope, limited);
    }
    if (type === 'HAI') return this.#inRenewal().ask(envelope);
    if (type === 'TRANSACTION_START') return this.transactions.start(envelope, size);
    if (!event.stored && answerRequest(this, envelope)) return;
    if (transaction === null) {
      return this.reject(envelope, new Fault('PROTOCOL_VIOLATION', { expected: 'transaction: an id', got: 'null' }));
    }
    if (type === 'TRANSACTION_JOIN') return this.transactions.join(envelope);
    if (type === 'TRANSACTION_LEAVE') return this.transactions.leave(envelope);
    if (type === 'REPLAY_REQUEST') return this.transactions.replay(envelope);
    const submission = readSubmission(envelope, bytes, size);
    if (submission instanceof Fault) {
      this.spoilt(envelope, size);
      return this.reject(envelope, submission);
    }
    this.transactions.write(limited === undefined ? submission : { ...submission, limited });
  }

  #inRenewal(): Renewal {
    this.#renewal ??= new Renewal(this, this.#info, this.#haiId, (user) => this.#renewed(user));
    return this.#renewal;
  }

  /** A message whose number was taken and that goes nowhere: its window counted it. */
  spoilt(message: Countable, size: number): void {
    this.transactions.spoilt(message, size);
  }

  get transactions(): Transactions {
    this.#transactions ??= new Transactions(this);
    return this.#transactions;
  }

  /** The same user, with other rights. */
  #renewed(user: KnownUser): void {
    this.#user = user;
    this.#watchExpiry();
    this.#transactions?.recheck();
  }
}
