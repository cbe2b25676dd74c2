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
import { Participation } from './participation.ts';
import { PlainDelivery } from './plain-delivery.ts';
import { Reader } from './reader.ts';
import { replayPage } from './replay.ts';
import type { Session } from './session.ts';
import { judgeCursor, verdictPayload } from './verdict.ts';

type Job = (participation: Participation) => Pending;

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
      .catch((error: unknown) => {
        context.log('error', 'start failed', { error });
        this.#session.reject(envelope, new Fault('OVERLOADED', { expected: 'the store to answer' }));
      })
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
    this.#inLane(envelope, 0, (participation) => this.#join(participation, envelope, payload));
  }

  /** One cursor that a HAI brought: a JOIN whose answer names the HAI. */
  resume(hai: Envelope, item: JsonObject): void {
    const transaction = item['transaction'] as string;
    const join: Envelope = { ...hai, transaction, type: 'TRANSACTION_JOIN', payload: item };
    this.#inLane(join, 0, (participation) => this.#join(participation, join, item));
  }

  leave(envelope: Envelope): void {
    this.#inLane(envelope, 0, (participation) => {
      participation.close();
      const { log } = participation;
      const { user } = this.#session;
      const elsewhere = [...this.#session.context.sessions.values()].some(
        (other) => other !== this.#session && other.reads(log.transaction, user.id),
      );
      if (elsewhere || !log.members.has(user.id)) return this.#session.done(envelope);
      return participation.write({ envelope, bytes: undefined, mime: undefined, payload: {}, size: 256 });
    });
  }

  replay(envelope: Envelope): void {
    this.#inLane(envelope, 0, (participation) => replayPage(this.#session, participation, envelope));
  }

  write(submission: Submission): void {
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
    if (this.#lanes.size + this.#starting >= context.limits.maxJoined) return tooMany;
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
    lane.participation ??= this.#participation(log);
    if (lane.participation.log !== log) throw new Error('a transaction has one log on a node');
    if (created) lane.participation.claim(1);
    this.#open(lane.participation, log.first - 1);
  }

  async #join(participation: Participation, envelope: Envelope, payload: JsonObject): Promise<void> {
    const { log, reader } = participation;
    await log.refresh();
    const asked = isDecimal(payload['seq']) ? readDecimal(payload['seq']) : undefined;
    const verdict =
      reader === undefined
        ? judgeCursor(log, payload['epoch'], asked)
        : ({ verdict: 'resumed', position: reader.position } as const);
    if (!log.members.has(this.#session.user.id) && !log.ended) await participation.enter(envelope);
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
    if (!this.#lanes.has(transaction) && this.#lanes.size >= limits.maxJoined) {
      return this.#session.reject(envelope, tooMany);
    }
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
          (error: unknown) => this.#notOpened(envelope, error),
        );
      }
      return this.#enter(lane, log, envelope, job);
    });
  }

  #notOpened(envelope: Envelope, error: unknown): void {
    this.#session.context.log('error', 'log not opened', { transaction: envelope.transaction, error });
    this.#session.reject(envelope, new Fault('OVERLOADED', { expected: 'the store to answer' }));
  }

  #enter(lane: Lane, log: LiveLog | null, envelope: Envelope, job: Job): Pending {
    if (log === null) return this.#unknown(lane, envelope);
    if (this.#closed) return this.#session.context.logs.release(log);
    lane.participation = this.#participation(log);
    return this.#permitted(lane, envelope, job);
  }

  #permitted(lane: Lane, envelope: Envelope, job: Job): Pending {
    const participation = lane.participation as Participation;
    if (mayRead(this.#session.user, participation.log.record)) return job(participation);
    return this.#unknown(lane, envelope);
  }

  /** Unknown and forbidden look the same. */
  #unknown(lane: Lane, envelope: Envelope): void {
    this.#leaveLane(lane);
    if (lane.queue.length === 0) this.#lanes.delete(lane.transaction);
    if (envelope.type === 'TRANSACTION_JOIN') {
      const payload = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };
      const { type, transaction, id } = envelope;
      this.#session.outbound.say({ type, transaction, relatedId: id, payload });
      return this.#session.done(envelope);
    }
    this.#session.reject(envelope, notFound);
  }

  #lane(transaction: string): Lane {
    let lane = this.#lanes.get(transaction);
    if (lane === undefined) {
      lane = new Lane(transaction, (error) => this.#session.fail(error));
      this.#lanes.set(transaction, lane);
    }
    return lane;
  }

  #participation(log: LiveLog): Participation {
    return new Participation(this.#session.context, log, this.#session);
  }

  #leaveLane(lane: Lane): void {
    if (lane.participation === undefined) return;
    lane.participation.close();
    this.#session.context.logs.release(lane.participation.log);
    lane.participation = undefined;
  }
}

const notFound = new Fault('TRANSACTION_NOT_FOUND');
const tooMany = new Fault('RUN_LIMIT_EXCEEDED', { expected: 'fewer transactions at once on this connection' });

const TITLE_UNITS = 120;

function titleOf(params: JsonObject[string]): string | undefined {
  if (!isJsonObject(params) || typeof params['title'] !== 'string') return undefined;
  return params['title'].slice(0, TITLE_UNITS);
}
