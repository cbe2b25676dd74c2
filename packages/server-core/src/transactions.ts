// The transactions one connection takes part in: start, join, leave, replay, and the way in for everything written.
// What is done in one is done in its lane. Spec: §2, §4.

import {
  type Draft,
  type Envelope,
  Fault,
  isAllowed,
  isDecimal,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readDecimal,
  type TransactionRecord,
} from '@haip/protocol';
import { LogDelivery } from './delivery.ts';
import { draftOf, isTooLarge, type Submission } from './drafting.ts';
import { type Countable, Flow } from './flow.ts';
import type { Lane } from './lane.ts';
import { Lanes, tooMany } from './lanes.ts';
import type { LiveLog } from './live-log.ts';
import type { Participation } from './participation.ts';
import { PlainDelivery } from './plain-delivery.ts';
import { Reader } from './reader.ts';
import { replayPage } from './replay.ts';
import type { Session } from './session.ts';
import { titleIn } from './titles.ts';
import { type CursorVerdict, judgeCursor, verdictPayload } from './verdict.ts';

export class Transactions {
  readonly #session: Session;
  readonly #lanes: Lanes;
  readonly #flow: Flow | undefined;

  constructor(session: Session) {
    this.#session = session;
    const { windowMessages: messages, windowBytes: bytes } = session.context.limits;
    const { flow } = session.terms;
    this.#flow = flow && new Flow(session, flow, { messages, bytes });
    this.#lanes = new Lanes(session, this.#flow);
  }

  close(): void {
    this.#lanes.close();
  }

  /** Rights changed: who may read no more is told so, by the verdict on a cursor. */
  recheck(): void {
    for (const lane of this.#lanes.values()) {
      const { participation } = lane;
      if (participation?.reader === undefined || !participation.readingRefused()) continue;
      lane.stopReading();
      const payload = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };
      const { transaction } = participation.log;
      this.#session.outbound.say({ type: 'TRANSACTION_JOIN', transaction, payload });
    }
  }

  start(envelope: Envelope, size: number): void {
    const { context } = this.#session;
    const payload: JsonObject = isJsonObject(envelope.payload) ? envelope.payload : {};
    const { toolName } = payload;
    const refused = this.#startRefused(toolName) ?? this.#paramsFault(payload['params'] ?? {}, size);
    if (refused) return this.#session.reject(envelope, refused);
    const record: TransactionRecord = {
      transaction: context.ids(),
      starter: this.#session.user.id,
      tool: toolName as string,
      params: payload['params'] ?? {},
      referenceId: envelope.transaction ?? envelope.id,
      createdAt: context.clock.now(),
      title: titleIn(payload['params']),
    };
    this.#lanes.starting++;
    const created = this.#create(envelope, record, size)
      .catch((error: unknown) => this.#lanes.notServed(envelope, error))
      .finally(() => {
        this.#lanes.starting--;
      });
    context.logs.await(created);
  }

  async #create(envelope: Envelope, record: TransactionRecord, size: number): Promise<void> {
    const { history, logs } = this.#session.context;
    const answer = await history.create(record, this.#startDraft(envelope, record, size));
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
    this.#lanes.run(envelope, async (participation, lane) => {
      participation.close();
      const { log } = participation;
      const { user } = this.#session;
      const elsewhere = this.#session.context.users
        .of(user.id)
        .some((other) => other !== this.#session && other.reads(log.transaction));
      if (elsewhere || !log.state.members.has(user.id)) this.#session.done(envelope);
      else await participation.write({ envelope, bytes: undefined, mime: undefined, payload: {}, size: 256 });
      this.#lanes.drop(lane);
    });
  }

  replay(envelope: Envelope): void {
    this.#lanes.run(envelope, (participation) =>
      replayPage(this.#session, participation, envelope).catch((error: unknown) =>
        this.#lanes.notServed(envelope, error),
      ),
    );
  }

  write(submission: Submission): void {
    const { transaction } = submission.envelope;
    const lane = transaction === null ? undefined : this.#lanes.get(transaction);
    // The way of nearly every message: its log is open and nothing waits, so no job needs to be made of it.
    if (lane?.queue.idle && lane.participation !== undefined && !lane.participation.readingRefused()) {
      this.#flow?.pass(lane, submission.envelope, submission.size);
      const pending = lane.participation.write(submission);
      if (pending) lane.queue.push(() => pending);
      return;
    }
    this.#lanes.write(submission);
  }

  /** FLOW_UPDATE and its like. Without flow control, and for what this connection is not in, they mean nothing. */
  changeWindows(envelope: Envelope): Fault | undefined {
    const { transaction } = envelope;
    if (transaction === null) return this.#flow?.change(envelope, this.#lanes.values());
    const lane = this.#lanes.get(transaction);
    return lane && this.#flow?.change(envelope, [lane]);
  }

  /** A message for the log that could not be read. Its client counted it in a window. */
  spoilt(message: Countable, size: number): void {
    this.#flow?.return(message, size);
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
    if (!this.#lanes.hasRoom()) return tooMany;
    return this.#lanes.starting >= context.limits.maxPendingStarts ? tooMany : undefined;
  }

  #paramsFault(params: JsonValue, size: number): Fault | undefined {
    const { maxParamsBytes } = this.#session.context.limits;
    if (!isTooLarge(params, size, maxParamsBytes)) return undefined;
    return new Fault('MESSAGE_TOO_LARGE', { expected: `at most ${maxParamsBytes} bytes of params` });
  }

  #startDraft(envelope: Envelope, { tool, params }: TransactionRecord, size: number): Draft {
    const payload = { toolName: tool, params };
    const submission: Submission = { envelope, bytes: undefined, mime: undefined, payload, size };
    const author = { user: this.#session.user.id, session: this.#session.id };
    return draftOf(submission, author, this.#session.context.clock.now());
  }

  #enterStarted(envelope: Envelope, log: LiveLog, created: boolean): void {
    if (this.#lanes.closed) return this.#session.context.logs.release(log);
    const { transaction, record, epoch } = log;
    this.#session.done(envelope);
    this.#session.outbound.say({
      type: 'TRANSACTION_START',
      transaction,
      relatedId: envelope.id,
      payload: { referenceId: record.referenceId, toolName: record.tool, epoch },
    });
    const participation = this.#lanes.started(log);
    if (created) participation.claim(1);
    // From the very beginning: what is no longer kept of it shows as a gap.
    this.#open(participation, 0);
  }

  /** @param asked false for a cursor in a HAI: then a JOIN that must be stored is the server's own, with no receipt. */
  #joinInLane(envelope: Envelope, payload: JsonObject, asked: boolean): void {
    this.#lanes.run(envelope, (participation, lane) =>
      this.#join(participation, lane, envelope, payload, asked).catch((error: unknown) =>
        this.#lanes.notServed(envelope, error),
      ),
    );
  }

  async #join(
    participation: Participation,
    lane: Lane,
    envelope: Envelope,
    payload: JsonObject,
    asked: boolean,
  ): Promise<void> {
    const { log } = participation;
    await log.refresh();
    // Whoever read to the end of a transaction and asks again has nothing of it any more.
    if (participation.reader?.isThrough) lane.stopReading();
    const { reader } = participation;
    const seq = isDecimal(payload['seq']) ? readDecimal(payload['seq']) : undefined;
    const judge = (): CursorVerdict =>
      reader === undefined
        ? judgeCursor(log, payload['epoch'], seq)
        : { verdict: 'resumed', position: reader.position };
    const { epoch } = log;
    let verdict = judge();
    // The right to read may go while the store is waited for.
    if (!log.state.members.has(this.#session.user.id) && !log.state.ended && !participation.readingRefused()) {
      await participation.enter(envelope, asked);
    }
    if (this.#lanes.closed) return;
    if (participation.readingRefused()) return this.#lanes.unknownHere(lane, envelope);
    // Another log may have begun meanwhile. A reader tells of that itself.
    if (log.epoch !== epoch) verdict = judge();
    this.#session.done(envelope);
    this.#session.outbound.say({
      type: 'TRANSACTION_JOIN',
      transaction: log.transaction,
      relatedId: envelope.id,
      payload: verdictPayload(reader?.epoch ?? log.epoch, log.last, verdict),
    });
    if (asked) this.#session.guest?.oweEntries(log.last - verdict.position);
    this.#open(participation, verdict.position);
  }

  #open(participation: Participation, position: number): void {
    if (participation.reader !== undefined) return;
    const { log } = participation;
    const { outbound, terms, binary, id } = this.#session;
    const delivery = terms.transactionLog
      ? new LogDelivery(outbound, log.transaction, binary, terms.events)
      : new PlainDelivery(log.transaction, id, binary);
    const lane = this.#lanes.get(log.transaction);
    const windows = lane && this.#flow?.windowsOf(lane);
    participation.reader = new Reader(log, outbound, delivery, participation, position, windows);
    participation.reader.open();
  }
}
