// One connection in one transaction: its reader, and the queue of what it writes. Decides each message in the order of
// checks and appends it; a retry is recognised before any refusal. Spec: §3, the order of checks.

import { type Draft, type Envelope, Fault, isJsonObject, type JsonValue, mayRetry, type Pending } from '@haip/protocol';
import { keepsOrder, mayRead, writingRefused } from './access.ts';
import { roomRefused } from './admission.ts';
import type { KnownUser } from './authentication.ts';
import { type Charge, isPriced, type Paid } from './charges.ts';
import type { ServerContext } from './context.ts';
import { draftOf, endPayload, isTooLarge, type Submission, writtenEnd } from './drafting.ts';
import type { LiveLog } from './live-log.ts';
import type { Reader, ReaderOwner } from './reader.ts';
import { type Fate, refuseUnlessStored, settleRepeat } from './retry.ts';
import { type CheckedInput, checkInput } from './toolbox.ts';

/** What a participation asks of its session. */
export interface Participant {
  readonly user: KnownUser;
  readonly id: string;
  /** Answers a message that is not stored, or not under its id, with an ERROR; its number is settled. */
  refuse(envelope: Envelope, fault: Fault): void;
  /** The message is in the log or was acted on. */
  done(envelope: Envelope): void;
  /** The connection cannot go on. */
  fail(error: unknown): void;
}

/** What waits for its author to send it again; nothing that keeps the order passes it. */
export interface AuthorOrder {
  blocked: { readonly id: string; readonly fault: Fault } | undefined;
  /** A message was refused and may be sent again. */
  block(envelope: Envelope, fault: Fault): void;
}

export class Participation implements ReaderOwner, Fate {
  readonly log: LiveLog;
  readonly #context: ServerContext;
  readonly #participant: Participant;
  readonly #order: AuthorOrder;
  reader: Reader | undefined;
  #underWay: string | undefined;
  readonly #own = new Set<number>();
  lastOwn = 0;

  constructor(context: ServerContext, log: LiveLog, participant: Participant, order: AuthorOrder) {
    this.#context = context;
    this.log = log;
    this.#participant = participant;
    this.#order = order;
  }

  close(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  /** An entry that is stored by this connection's own envelope, so that a receipt is enough for it. */
  claim(position: number): void {
    this.#own.add(position);
    this.lastOwn = position;
  }

  /**
   * Stores that the user became a member; the JOIN itself is settled by its verdict.
   *
   * @param own the connection asked with this envelope and gets its receipt; else it gets the entry, as others do
   */
  async enter(envelope: Envelope, own: boolean): Promise<void> {
    const join = own ? envelope : { ...envelope, id: this.#context.ids() };
    const draft = this.#draft({ envelope: join, bytes: undefined, mime: undefined, payload: {}, size: 256 });
    await this.log.append([draft]);
    if (own && draft.outcome?.kind === 'stored') this.claim(draft.outcome.position);
  }

  get userId(): string {
    return this.#participant.user.id;
  }

  get maxTextBytes(): number {
    return this.#context.limits.maxTextBytes;
  }

  readingRefused(): Fault | undefined {
    return mayRead(this.#participant.user, this.log.record) ? undefined : new Fault('TRANSACTION_NOT_FOUND');
  }

  isUnderWay(id: string): boolean {
    return this.#underWay === id;
  }

  takeOwn(position: number): boolean {
    return this.#own.size > 0 && this.#own.delete(position);
  }

  forgetOwn(below: number): void {
    for (const position of this.#own) if (position < below) this.#own.delete(position);
    if (below === Number.POSITIVE_INFINITY) this.lastOwn = 0;
  }

  failed(error: unknown): void {
    this.#participant.fail(error);
  }

  /**
   * Takes a message for the log. Everything up to a refusal or the append is decided here.
   *
   * @param beyond it was sent beyond its author's window
   */
  write(submission: Submission, beyond = false): Pending {
    const { id, type, channel } = submission.envelope;
    const { blocked } = this.#order;
    if (blocked !== undefined && keepsOrder(type)) {
      if (blocked.id !== id) return this.#refuse(submission, blocked.fault);
      this.#order.blocked = undefined;
    }
    const { user } = this.#participant;
    const refused =
      this.#endedFault() ??
      writingRefused(user, this.log.record, type, channel) ??
      (beyond ? beyondWindow : undefined) ??
      submission.limited ??
      this.#sizeFault(submission) ??
      roomRefused(type, submission.payload, this.log.state, this.#context.limits);
    if (refused !== undefined) return this.#refuse(submission, refused);
    if (type === 'MESSAGE_END' || type === 'MESSAGE_UPDATE') return this.#afterRefresh(submission);
    return this.#waitsForTool(type) ? this.#appendAlone(submission) : this.#checkAndAppend(submission);
  }

  #checkAndAppend(submission: Submission): Pending {
    if (submission.envelope.type !== 'MESSAGE') return this.#append(submission);
    const checked = this.#check(submission.envelope);
    if (checked instanceof Promise) return checked.then((late) => this.#append(submission, late));
    return this.#append(submission, checked);
  }

  #endedFault(): Fault | undefined {
    return this.log.state.ended ? new Fault('TRANSACTION_ENDED') : undefined;
  }

  /** Nothing is stored that readers could not be sent. */
  #sizeFault({ payload, size, bytes }: Submission): Fault | undefined {
    const { maxTextBytes } = this.#context.limits;
    if (!isTooLarge(payload, size - (bytes?.length ?? 0), maxTextBytes)) return undefined;
    return new Fault('MESSAGE_TOO_LARGE', { expected: `at most ${maxTextBytes} bytes as it is written to readers` });
  }

  /** What may not come while the tool is at work. */
  #waitsForTool(type: string): boolean {
    if (this.log.tool?.whileRunning !== 'refuse') return false;
    return type === 'MESSAGE' || type === 'MESSAGE_START' || type === 'AUDIO';
  }

  /** Takes a message for a tool that answers one at a time and lets none wait: also not one that is on its way here. */
  async #appendAlone(submission: Submission): Promise<void> {
    try {
      await this.log.refresh();
    } catch (error) {
      return this.unknown(submission, error);
    }
    if (this.log.isAnswering) return this.#refuse(submission, atWork);
    this.log.arriving++;
    try {
      await this.#checkAndAppend(submission);
      // From here on the log's state tells of it.
      await this.log.refresh();
    } catch (error) {
      // Its author has had their answer, and the log is read again in a while.
      this.#context.log('warn', 'log not read', { transaction: this.log.transaction, error });
    } finally {
      this.log.arriving--;
    }
  }

  /** Whether a message fits its tool's input. A schema that throws says no. */
  #check({ payload }: Envelope): CheckedInput | Promise<CheckedInput> {
    const { tool } = this.log;
    if (tool?.input === undefined) return anything;
    const broken = (error: unknown): CheckedInput => {
      this.#context.log('error', 'input schema threw', { tool: tool.name, error });
      return { ok: false, expected: "the tool's input" };
    };
    try {
      const checked = checkInput(tool, payload);
      return checked instanceof Promise ? checked.catch(broken) : checked;
    } catch (error) {
      return broken(error);
    }
  }

  /** For what depends on which messages are open: only the newest state of the log tells. */
  async #afterRefresh(submission: Submission): Promise<void> {
    try {
      await this.log.refresh();
    } catch (error) {
      return this.unknown(submission, error);
    }
    const ended = this.#endedFault();
    if (ended !== undefined) return this.#refuse(submission, ended);
    if (submission.envelope.type === 'MESSAGE_END') return this.#end(submission);
    return this.log.state.streams.has(messageIdOf(submission.payload))
      ? this.#refuse(submission, stillOpen)
      : this.#append(submission);
  }

  /** Closes a stream of this user: its end is stored with the whole text, which only the log knows. */
  async #end(submission: Submission): Promise<void> {
    const { payload } = submission;
    const messageId = messageIdOf(payload);
    const stream = this.log.state.streams.get(messageId);
    if (stream === undefined || stream.owner !== this.#participant.user.id || !isJsonObject(payload)) {
      return this.#refuse(submission, notOpen);
    }
    const stored = endPayload(writtenEnd(payload), stream, this.#context.limits.maxTextBytes);
    const draft = this.#draft(submission, stored);
    await this.#store(submission, draft);
    if (draft.outcome?.kind === 'stored' && 'text' in stored) {
      await this.log.compact({ messageId, start: stream.start, end: draft.outcome.position });
    }
  }

  #draft(submission: Submission, payload = submission.payload): Draft {
    const { id, user } = this.#participant;
    return draftOf(submission, { user: user.id, session: id }, this.#context.clock.now(), payload);
  }

  #append(submission: Submission, checked?: CheckedInput): Pending {
    if (checked?.ok === false) {
      return this.#refuse(submission, new Fault('INVALID_PAYLOAD', { expected: checked.expected }));
    }
    return this.#store(submission, this.#draft(submission));
  }

  /** Stores what can be paid for. */
  #store(submission: Submission, draft: Draft): Pending {
    const { charges } = this.#context;
    if (charges === undefined || !isPriced(draft.type)) return this.#put(submission, draft);
    const user = this.#participant.user.id;
    const { transaction } = this.log;
    const price = charges.priceOf(draft, user, transaction);
    if (price instanceof Fault) return this.#refuse(submission, price);
    try {
      const paid = charges.pay(user, transaction, draft.id, price, this.log.last);
      return paid instanceof Promise
        ? this.#storeOncePaid(submission, draft, paid)
        : this.#storePaid(submission, draft, paid);
    } catch (error) {
      return this.unknown(submission, error);
    }
  }

  async #storeOncePaid(submission: Submission, draft: Draft, paying: Promise<Paid>): Promise<void> {
    const storing = paying.then((paid) => (paid instanceof Fault ? paid : this.#put(submission, draft, paid)));
    this.log.noteStoring([draft], storing);
    try {
      const refused = await storing;
      if (refused) await this.#refuse(submission, refused);
    } catch (error) {
      this.unknown(submission, error);
    }
  }

  #storePaid(submission: Submission, draft: Draft, paid: Paid): Pending {
    if (paid instanceof Fault) return this.#refuse(submission, paid);
    return this.#put(submission, draft, paid);
  }

  #put(submission: Submission, draft: Draft, charge?: Charge): Pending {
    this.#underWay = draft.id;
    this.log.wroteHere(this.#participant.user);
    try {
      const pending = this.log.append([draft]);
      if (pending) {
        return pending.then(
          () => this.#decide(submission, draft, charge),
          (error: unknown) => this.unknown(submission, error, charge),
        );
      }
    } catch (error) {
      return this.unknown(submission, error, charge);
    }
    return this.#decide(submission, draft, charge);
  }

  #decide(submission: Submission, draft: Draft, charge?: Charge): Pending {
    const { outcome } = draft;
    this.#underWay = undefined;
    if (charge) this.#context.charges?.close(charge, outcome);
    if (outcome?.kind === 'stored') {
      if (this.reader !== undefined) this.#own.add(outcome.position);
      this.lastOwn = outcome.position;
      this.settle(submission);
    } else if (outcome?.kind === 'repeat') {
      settleRepeat(submission, outcome.digest, this);
    } else {
      const why = outcome?.kind === 'refused' ? outcome.why : 'missing';
      this.answer(submission, refusals[why]);
    }
    this.reader?.wake();
  }

  #refuse(submission: Submission, fault: Fault): Pending {
    const { user } = this.#participant;
    return refuseUnlessStored(this.#context, user.id, submission, fault, this);
  }

  settle({ envelope }: Submission): void {
    this.#participant.done(envelope);
  }

  answer(submission: Submission, fault: Fault): void {
    const { envelope } = submission;
    // Who leaves what has ended reads no more of it, and that is all there was to do.
    if (envelope.type === 'TRANSACTION_LEAVE' && fault.code === 'TRANSACTION_ENDED') return this.settle(submission);
    if (mayRetry(fault)) this.#order.block(envelope, fault);
    this.#participant.refuse(envelope, fault);
  }

  /** The store did not say. Whoever sends it again under the same id finds out. */
  unknown(submission: Submission, error: unknown, charge?: Charge): void {
    this.#underWay = undefined;
    if (charge) this.#context.charges?.close(charge, undefined);
    const { transaction } = this.log;
    this.#context.log('error', 'append failed', { transaction, error });
    this.answer(submission, new Fault('OVERLOADED', { expected: 'the store to answer' }));
    this.reader?.wake();
  }
}

function messageIdOf(payload: JsonValue): string {
  return isJsonObject(payload) ? String(payload['message_id']) : '';
}

const beyondWindow = new Fault('FLOW_CONTROL_VIOLATION', { expected: 'to wait for FLOW_UPDATE' });
const anything: CheckedInput = { ok: true, value: undefined };
const stillOpen = new Fault('PROTOCOL_VIOLATION', { expected: 'a message that has ended', got: 'an open one' });
/** Final: a message that went again by itself would hold up the word that the run may be waiting for. */
const atWork = new Fault('RUN_LIMIT_EXCEEDED', {
  expected: 'no message while an earlier one is being answered',
  retry: false,
});
const notOpen = new Fault('PROTOCOL_VIOLATION', {
  expected: 'an open message, run or call of this author',
  got: 'none',
});

const refusals = {
  missing: new Fault('TRANSACTION_NOT_FOUND'),
  lease: new Fault('INTERNAL_ERROR'),
  ended: new Fault('TRANSACTION_ENDED'),
  subject: notOpen,
} as const;
