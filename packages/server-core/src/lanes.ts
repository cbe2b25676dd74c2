// One connection's lanes, one for each transaction it has to do with, so that a slow log holds up nobody else. Opens a
// log for the first job in it and lets go of it after the last; unknown and forbidden transactions look the same. Spec: §5.

import { type Envelope, Fault, isId, type Pending } from '@haip/protocol';
import { mayRead } from './access.ts';
import type { Submission } from './drafting.ts';
import type { Arrival, Flow } from './flow.ts';
import { Lane } from './lane.ts';
import type { LiveLog } from './live-log.ts';
import { Participation } from './participation.ts';
import { type Fate, refuseUnlessStored } from './retry.ts';
import type { Session } from './session.ts';

const anybody = (): boolean => true;

/** What is done in a transaction once its log is open. */
export type Job = (participation: Participation, lane: Lane) => Pending;

export class Lanes implements Fate {
  readonly #session: Session;
  readonly #flow: Flow | undefined;
  readonly #lanes = new Map<string, Lane>();
  /** Starts that wait for the store: each will want a lane. */
  starting = 0;
  #closed = false;

  constructor(session: Session, flow: Flow | undefined) {
    this.#session = session;
    this.#flow = flow;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes.values()) this.#leave(lane);
    this.#lanes.clear();
  }

  get(transaction: string): Lane | undefined {
    return this.#lanes.get(transaction);
  }

  values(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** The participation in a transaction that was just started. */
  started(log: LiveLog): Participation {
    return this.#hold(this.#lane(log.transaction), log);
  }

  /** Runs a job in the transaction's lane, once its log is open and the user may know of it. */
  run(envelope: Envelope, job: Job): void {
    this.#run(envelope, 0, job, mayRead);
  }

  /** Takes a message for the log. Whether its author may is judged there, after whether it is stored already. */
  write(submission: Submission): void {
    const { envelope, size } = submission;
    const { transaction } = envelope;
    if (transaction !== null && !this.#lanes.has(transaction) && !this.hasRoom()) {
      this.#flow?.return(envelope, size);
      refuseUnlessStored(this.#session.context, this.#session.user.id, submission, neverHere, this);
      return;
    }
    const arrival = transaction === null ? undefined : this.#flow?.arrive(this.#lane(transaction), envelope, size);
    this.#run(envelope, size, (participation) => participation.write(submission, arrival?.beyond), anybody, arrival);
  }

  settle({ envelope }: Submission): void {
    this.#session.done(envelope);
  }

  answer({ envelope }: Submission, fault: Fault): void {
    this.#session.refuse(envelope, fault);
  }

  unknown({ envelope }: Submission, error: unknown): void {
    this.notServed(envelope, error);
  }

  #run(envelope: Envelope, size: number, job: Job, permits: typeof mayRead, arrival?: Arrival): void {
    const { transaction } = envelope;
    const { limits } = this.#session.context;
    if (!isId(transaction)) return this.#session.reject(envelope, notFound);
    if (!this.#lanes.has(transaction) && !this.hasRoom()) return this.#session.reject(envelope, tooMany);
    const lane = this.#lane(transaction);
    // What was allowed before was for a reading that has ended.
    if (envelope.type === 'TRANSACTION_JOIN' && !lane.participation?.reader) lane.sending = undefined;
    // What keeps to a window is bounded by that.
    const [count, bytes] = arrival?.beyond === false ? [0, 0] : [1, size];
    if (count > 0 && (lane.queued >= limits.maxQueuedMessages || lane.queuedBytes >= limits.maxQueuedBytes)) {
      // Refusing one of many in a row would change its author's order; a resumed client sends all of them again.
      return this.#session.close(1013, 'the store is behind');
    }
    lane.queued += count;
    lane.queuedBytes += bytes;
    lane.queue.push(() => {
      lane.queued -= count;
      lane.queuedBytes -= bytes;
      arrival?.taken();
      if (this.#closed) return;
      if (lane.participation !== undefined) return this.#permitted(lane, envelope, job, permits);
      const log = this.#session.context.logs.open(transaction);
      if (log instanceof Promise) {
        return log.then(
          (late) => this.#enter(lane, late, envelope, job, permits),
          (error: unknown) => this.#notOpened(lane, envelope, error),
        );
      }
      return this.#enter(lane, log, envelope, job, permits);
    });
  }

  #notOpened(lane: Lane, envelope: Envelope, error: unknown): void {
    lane.block(envelope, noAnswer);
    this.notServed(envelope, error);
  }

  /** The store failed at what a message asked: its author may try again. */
  notServed(envelope: Envelope, error: unknown): void {
    this.#session.context.log('error', 'store failed', {
      transaction: envelope.transaction,
      type: envelope.type,
      error,
    });
    this.#session.reject(envelope, noAnswer);
  }

  #enter(lane: Lane, log: LiveLog | null, envelope: Envelope, job: Job, permits: typeof mayRead): Pending {
    if (log === null) return this.unknownHere(lane, envelope);
    if (this.#closed) return this.#session.context.logs.release(log);
    this.#hold(lane, log);
    return this.#permitted(lane, envelope, job, permits);
  }

  #permitted(lane: Lane, envelope: Envelope, job: Job, permits: typeof mayRead): Pending {
    const participation = lane.participation as Participation;
    if (permits(this.#session.user, participation.log.record)) return job(participation, lane);
    return this.unknownHere(lane, envelope);
  }

  /** Unknown and forbidden look the same. */
  unknownHere(lane: Lane, envelope: Envelope): void {
    // It was waited for, and this is its answer.
    if (lane.blocked?.id === envelope.id) lane.blocked = undefined;
    this.drop(lane);
    if (envelope.type === 'TRANSACTION_JOIN') {
      const payload = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };
      const { type, transaction, id } = envelope;
      this.#session.outbound.say({ type, transaction, relatedId: id, payload });
      return this.#session.done(envelope);
    }
    this.#session.refuse(envelope, notFound);
  }

  /** Whether there is room for one more transaction, once those in which nothing more happens are let go. */
  hasRoom(): boolean {
    const { maxJoined } = this.#session.context.limits;
    if (this.#lanes.size + this.starting < maxJoined) return true;
    for (const lane of this.#lanes.values()) if (lane.isOver) this.drop(lane);
    return this.#lanes.size + this.starting < maxJoined;
  }

  #lane(transaction: string): Lane {
    let lane = this.#lanes.get(transaction);
    if (lane === undefined) {
      lane = new Lane(transaction, this.#session.terms.transactionLog, (error) => this.#session.fail(error));
      this.#lanes.set(transaction, lane);
    }
    return lane;
  }

  /** The lane's participation. A lane that has its log open gives the second hold on it back. */
  #hold(lane: Lane, log: LiveLog): Participation {
    if (lane.participation !== undefined) this.#session.context.logs.release(log);
    lane.participation ??= new Participation(this.#session.context, log, this.#session, lane);
    return lane.participation;
  }

  /** Lets go of a lane, unless somebody waits in it, or it must remember what is to come before everything else. */
  drop(lane: Lane): void {
    const isNeeded = lane.queue.length > 0 || lane.blocked !== undefined;
    this.#leave(lane);
    if (isNeeded) return;
    this.#flow?.settleUp(lane);
    this.#lanes.delete(lane.transaction);
  }

  #leave(lane: Lane): void {
    lane.stopReading();
    const { participation, queue } = lane;
    if (participation === undefined) return;
    lane.participation = undefined;
    const release = (): void => this.#session.context.logs.release(participation.log);
    // What is being stored now is to be seen by those who stay: the log stays in hand until it is.
    if (queue.idle) release();
    else queue.push(release);
  }
}

const notFound = new Fault('TRANSACTION_NOT_FOUND');
const noAnswer = new Fault('OVERLOADED', { expected: 'the store to answer' });
/** Said of a transaction beyond those one connection may have at once. */
const neverHere = new Fault('RUN_LIMIT_EXCEEDED', {
  expected: 'fewer transactions at once on this connection',
  retry: false,
});
export const tooMany = new Fault('RUN_LIMIT_EXCEEDED', { expected: 'fewer transactions at once on this connection' });
