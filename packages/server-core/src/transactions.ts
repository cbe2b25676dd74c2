// The transactions one connection takes part in: start, join, leave, replay, and the way in for everything written.
// One lane each, so that a slow log holds up nobody else. Spec: §2, §4.

import {
  type Draft,
  type Envelope,
  Fault,
  isAllowed,
  isDecimal,
  isId,
  isJsonObject,
  type JsonObject,
  type Pending,
  readDecimal,
  type TransactionRecord,
} from '@haip/protocol';
import { mayRead } from './access.ts';
import { LogDelivery } from './delivery.ts';
import { draftOf, type Submission } from './drafting.ts';
import { Lane } from './lane.ts';
import type { LiveLog } from './live-log.ts';
import { keepsOrder, Participation } from './participation.ts';
import { PlainDelivery } from './plain-delivery.ts';
import { Reader } from './reader.ts';
import { replayPage } from './replay.ts';
import type { Session } from './session.ts';
import { judgeCursor, verdictPayload } from './verdict.ts';

type Job = (participation: Participation, lane: Lane) => Pending;

export class Transactions {
  readonly #session: Session;
  readonly #lanes = new Map<string, Lane>();
  #starting = 0;
  #closed = false;

  constructor(session: Session) {
    this.#session = session;
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes.values()) this.#leaveLane(lane);
    this.#lanes.clear();
  }

  /** Rights changed: readers look again before they read on. */
  recheck(): void {
    for (const { participation } of this.#lanes.values()) {
      if (participation?.readingRefused()) participation.close();
    }
  }

  start(envelope: Envelope): void {
    const { context } = this.#session;
    const payload: JsonObject = isJsonObject(envelope.payload) ? envelope.payload : {};
    const { toolName } = payload;
    const refused = this.#startRefused(toolName);
    if (refused) return this.#session.reject(envelope, refused);
    const record: TransactionRecord = {
      transaction: context.ids(),
      starter: this.#session.user.id,
      tool: toolName as string,
      params: payload['params'] ?? {},
      referenceId: envelope.transaction ?? envelope.id,
      createdAt: context.clock.now(),
      title: titleOf(payload['params']),
    };
    this.#starting++;
    this.#create(envelope, record)
      .catch((error: unknown) => this.#notServed(envelope, error))
      .finally(() => {
        this.#starting--;
      });
  }

  async #create(envelope: Envelope, record: TransactionRecord): Promise<void> {
    const { history, logs } = this.#session.context;
    const answer = await history.create(record, this.#startDraft(envelope, record));
    const log = await logs.start(answer);
    if (log === null) throw new Error('the transaction just created is not there');
    this.#enterStarted(envelope, log, answer.created);
  }

  join(envelope: Envelope): void {
    const payload = isJsonObject(envelope.payload) ? envelope.payload : {};
    this.#joinInLane(envelope, payload, true);
  }

  /** One cursor that a HAI brought: a JOIN whose answer names the HAI. */
  resume(hai: Envelope, item: JsonObject): void {
    const transaction = item['transaction'] as string;
    const join: Envelope = { ...hai, transaction, type: 'TRANSACTION_JOIN', payload: item };
    this.#joinInLane(join, item, false);
  }

  leave(envelope: Envelope): void {
    this.#inLane(envelope, 0, async (participation, lane) => {
      participation.close();
      const { log } = participation;
      const { user } = this.#session;
      const elsewhere = [...this.#session.context.sessions.values()].some(
        (other) => other !== this.#session && other.reads(log.transaction, user.id),
      );
      if (elsewhere || !log.members.has(user.id)) this.#session.done(envelope);
      else await participation.write({ envelope, bytes: undefined, mime: undefined, payload: {}, size: 256 });
      this.#drop(lane);
    });
  }

  replay(envelope: Envelope): void {
    const { transaction } = envelope;
    if (transaction === null) return;
    if (this.#lanes.get(transaction)?.isReplaying) return this.#session.reject(envelope, oneReplay);
    this.#inLane(envelope, 0, (participation) =>
      replayPage(this.#session, participation, envelope).catch((error: unknown) => this.#notServed(envelope, error)),
    );
    const lane = this.#lanes.get(transaction);
    if (lane === undefined || lane.queue.idle) return;
    lane.isReplaying = true;
    lane.queue.push(() => {
      lane.isReplaying = false;
    });
  }

  write(submission: Submission): void {
    const { transaction } = submission.envelope;
    const lane = transaction === null ? undefined : this.#lanes.get(transaction);
    // The way of nearly every message: its log is open and nothing waits, so no job needs to be made of it.
    if (lane?.queue.idle && lane.participation !== undefined && !lane.participation.readingRefused()) {
      const pending = lane.participation.write(submission);
      if (pending) lane.queue.push(() => pending);
      return;
    }
    this.#inLane(submission.envelope, submission.size, (participation) => participation.write(submission));
  }

  reads(transaction: string): boolean {
    return this.#lanes.get(transaction)?.participation?.reader !== undefined;
  }

  #startRefused(toolName: unknown): Fault | undefined {
    const { context, user } = this.#session;
    if (typeof toolName !== 'string' || toolName === '') {
      return new Fault('MISSING_TOOL_NAME', { expected: 'payload.toolName: the name of a tool' });
    }
    if (!isAllowed(user.permissions, 'TRANSACTION_START', toolName)) {
      return new Fault('UNAUTHORIZED', { expected: 'the permission to start this tool' });
    }
    if (context.toolbox.get(toolName) === undefined) return new Fault('TOOL_NOT_FOUND');
    if (!this.#hasRoom()) return tooMany;
    return this.#starting >= context.limits.maxPendingStarts ? tooMany : undefined;
  }

  #startDraft(envelope: Envelope, { tool, params }: TransactionRecord): Draft {
    const payload = { toolName: tool, params };
    const submission: Submission = { envelope, bytes: undefined, mime: undefined, payload, size: 256 };
    const author = { user: this.#session.user.id, session: this.#session.id };
    return draftOf(submission, author, this.#session.context.clock.now());
  }

  #enterStarted(envelope: Envelope, log: LiveLog, created: boolean): void {
    if (this.#closed) return this.#session.context.logs.release(log);
    const { transaction, record, epoch } = log;
    this.#session.done(envelope);
    this.#session.outbound.say({
      type: 'TRANSACTION_START',
      transaction,
      relatedId: envelope.id,
      payload: { referenceId: record.referenceId, toolName: record.tool, epoch },
    });
    const lane = this.#lane(transaction);
    // Started again on a connection that has it open: one hold on the log is enough.
    if (lane.participation !== undefined) this.#session.context.logs.release(log);
    lane.participation ??= this.#participation(lane, log);
    if (created) lane.participation.claim(1);
    // From the very beginning: what is no longer kept of it shows as a gap.
    this.#open(lane.participation, 0);
  }

  /** @param asked false for a cursor in a HAI: then a JOIN that must be stored is the server's own, with no receipt. */
  #joinInLane(envelope: Envelope, payload: JsonObject, asked: boolean): void {
    this.#inLane(envelope, 0, (participation) =>
      this.#join(participation, envelope, payload, asked).catch((error: unknown) => this.#notServed(envelope, error)),
    );
  }

  async #join(participation: Participation, envelope: Envelope, payload: JsonObject, asked: boolean): Promise<void> {
    const { log, reader } = participation;
    await log.refresh();
    const seq = isDecimal(payload['seq']) ? readDecimal(payload['seq']) : undefined;
    const verdict =
      reader === undefined
        ? judgeCursor(log, payload['epoch'], seq)
        : ({ verdict: 'resumed', position: reader.position } as const);
    if (!log.members.has(this.#session.user.id) && !log.ended) {
      await participation.enter(envelope, asked);
    }
    if (this.#closed) return;
    this.#session.done(envelope);
    this.#session.outbound.say({
      type: 'TRANSACTION_JOIN',
      transaction: log.transaction,
      relatedId: envelope.id,
      payload: verdictPayload(log, verdict),
    });
    this.#open(participation, verdict.position);
  }

  #open(participation: Participation, position: number): void {
    if (participation.reader !== undefined) return;
    const { log } = participation;
    const { outbound, terms, binary, id } = this.#session;
    const delivery = terms.transactionLog
      ? new LogDelivery(outbound, log.transaction, binary, terms.events)
      : new PlainDelivery(log.transaction, id, binary);
    participation.reader = new Reader(log, outbound, delivery, participation, position);
    participation.reader.open();
  }

  /** Runs a job in the transaction's lane, once its log is open and the user may know of it. */
  #inLane(envelope: Envelope, size: number, job: Job): void {
    const { transaction } = envelope;
    const { limits } = this.#session.context;
    if (!isId(transaction)) return this.#session.reject(envelope, notFound);
    if (!this.#lanes.has(transaction) && !this.#hasRoom()) return this.#session.reject(envelope, tooMany);
    const lane = this.#lane(transaction);
    if (lane.queue.length >= limits.maxQueuedMessages || lane.queuedBytes >= limits.maxQueuedBytes) {
      // Refusing one of many in a row would change its author's order; a resumed client sends all of them again.
      return this.#session.close(1013, 'the store is behind');
    }
    lane.queuedBytes += size;
    lane.queue.push(() => {
      lane.queuedBytes -= size;
      if (this.#closed) return;
      if (lane.participation !== undefined) return this.#permitted(lane, envelope, job);
      const log = this.#session.context.logs.open(transaction);
      if (log instanceof Promise) {
        return log.then(
          (late) => this.#enter(lane, late, envelope, job),
          (error: unknown) => this.#notOpened(lane, envelope, error),
        );
      }
      return this.#enter(lane, log, envelope, job);
    });
  }

  #notOpened(lane: Lane, envelope: Envelope, error: unknown): void {
    if (keepsOrder(envelope.type)) lane.blocked ??= { id: envelope.id, fault: noAnswer };
    this.#notServed(envelope, error);
  }

  #notServed(envelope: Envelope, error: unknown): void {
    this.#session.context.log('error', 'store failed', {
      transaction: envelope.transaction,
      type: envelope.type,
      error,
    });
    this.#session.reject(envelope, noAnswer);
  }

  #enter(lane: Lane, log: LiveLog | null, envelope: Envelope, job: Job): Pending {
    if (log === null) return this.#unknown(lane, envelope);
    if (this.#closed) return this.#session.context.logs.release(log);
    // A start that was answered meanwhile has it open: one hold on the log is enough.
    if (lane.participation !== undefined) this.#session.context.logs.release(log);
    lane.participation ??= this.#participation(lane, log);
    return this.#permitted(lane, envelope, job);
  }

  #permitted(lane: Lane, envelope: Envelope, job: Job): Pending {
    const participation = lane.participation as Participation;
    if (mayRead(this.#session.user, participation.log.record)) return job(participation, lane);
    return this.#unknown(lane, envelope);
  }

  /** Unknown and forbidden look the same. */
  #unknown(lane: Lane, envelope: Envelope): void {
    this.#drop(lane);
    if (envelope.type === 'TRANSACTION_JOIN') {
      const payload = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };
      const { type, transaction, id } = envelope;
      this.#session.outbound.say({ type, transaction, relatedId: id, payload });
      return this.#session.done(envelope);
    }
    this.#session.reject(envelope, notFound);
  }

  /** Whether there is room for one more transaction, once those in which nothing more happens are let go. */
  #hasRoom(): boolean {
    const { maxJoined } = this.#session.context.limits;
    if (this.#lanes.size + this.#starting < maxJoined) return true;
    for (const lane of this.#lanes.values()) if (lane.isOver) this.#drop(lane);
    return this.#lanes.size + this.#starting < maxJoined;
  }

  #lane(transaction: string): Lane {
    let lane = this.#lanes.get(transaction);
    if (lane === undefined) {
      lane = new Lane(transaction, (error) => this.#session.fail(error));
      this.#lanes.set(transaction, lane);
    }
    return lane;
  }

  #participation(lane: Lane, log: LiveLog): Participation {
    return new Participation(this.#session.context, log, this.#session, lane);
  }

  /** Lets go of a lane, unless somebody waits in it. */
  #drop(lane: Lane): void {
    this.#leaveLane(lane);
    if (lane.queue.length === 0) this.#lanes.delete(lane.transaction);
  }

  #leaveLane(lane: Lane): void {
    if (lane.participation === undefined) return;
    lane.participation.close();
    this.#session.context.logs.release(lane.participation.log);
    lane.participation = undefined;
  }
}

const notFound = new Fault('TRANSACTION_NOT_FOUND');
const noAnswer = new Fault('OVERLOADED', { expected: 'the store to answer' });
const oneReplay = new Fault('RATE_LIMITED', { expected: 'one replay of a transaction at a time', got: 'another' });
const tooMany = new Fault('RUN_LIMIT_EXCEEDED', { expected: 'fewer transactions at once on this connection' });

const TITLE_UNITS = 120;

function titleOf(params: JsonObject[string]): string | undefined {
  if (!isJsonObject(params) || typeof params['title'] !== 'string') return undefined;
  return params['title'].slice(0, TITLE_UNITS);
}
