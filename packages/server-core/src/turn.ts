// One message being answered: what a tool sees of it, and what it may write. Once the turn is stopped it may say last
// words, once it is over nothing. Knows nothing of leases, limits of time, or other turns. Spec: §4, §6, runs.

import {
  type AudioMessage,
  type Call,
  type Conversation,
  type Entry,
  emptyConversation,
  type HAIPUser,
  type JsonObject,
  type JsonValue,
  type MessageWriter,
  type Pending,
  reduceConversation,
  type StreamOptions,
  type Timer,
  type Turn,
} from '@haip/protocol';
import { checkedStatement } from './checked-statement.ts';
import { closeMessage, closeOpen, compactEnded } from './closing.ts';
import type { ServerContext } from './context.ts';
import { cancelled, type Ending, failed, finished, interrupted, Stopped } from './ending.ts';
import { Gathering } from './gathering.ts';
import type { LiveLog } from './live-log.ts';
import { readEntries, replayWindow } from './log-pages.ts';
import { Meter } from './meter.ts';
import { ownEntry, ownJson } from './own.ts';
import { Pace } from './pace.ts';
import { Pen, Refused, type Statement } from './pen.ts';
import { heard, settled } from './promises.ts';
import { Stop } from './stop.ts';
import { StreamWriter } from './stream-writer.ts';
import { ToolCall } from './tool-call.ts';

/** The longest text of a message that waits for the turn of the event loop to end, in UTF-16 units. */
const MOST_GATHERED = 2048;

export class ToolTurn implements Turn {
  readonly message: Entry;
  readonly stop = new Stop();
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #pen: Pen;
  #calls: Set<ToolCall> | undefined;
  readonly #mostGathered: number;
  #gathering: Gathering | undefined;
  /** Until what was said last is stored, or is not. Never rejects. */
  #latest: Pending = undefined;
  /** Whether the store failed to take some text, or what nobody waited for. */
  #isTorn = false;
  #over = false;
  #wasWrong = false;

  constructor(context: ServerContext, log: LiveLog, message: Entry, session: string, fence: number) {
    this.#context = context;
    this.#log = log;
    this.message = ownEntry(message);
    const { charges } = context;
    const meter = charges?.chargesAgents
      ? new Meter(charges, message.user ?? '', log.transaction, (reason) => this.halt(reason))
      : undefined;
    this.#pen = new Pen(context, log, session, fence, message.id, meter);
    // Where words cost, each write is one, and knows at once whether it was paid.
    this.#mostGathered = meter ? 0 : MOST_GATHERED;
  }

  get id(): string {
    return this.message.id;
  }

  get transaction(): string {
    return this.#log.transaction;
  }

  get params(): JsonValue {
    return ownJson(this.#log.record.params);
  }

  get user(): Pick<HAIPUser, 'id' | 'claims'> {
    const id = this.message.user ?? '';
    return { id, claims: this.#log.author(id)?.claims };
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  conversation(): Promise<Conversation> {
    return heard(this.#readConversation());
  }

  async #readConversation(): Promise<Conversation> {
    this.storeGathered();
    await this.#pen.atRest();
    let conversation = emptyConversation;
    const entries = readEntries(this.#context.history, this.transaction, 1);
    for await (const entry of entries) conversation = reduceConversation(conversation, entry);
    return conversation;
  }

  async *getReplayWindow(from?: number, to?: number): AsyncGenerator<Entry, void, undefined> {
    this.storeGathered();
    await this.#pen.atRest();
    yield* replayWindow(this.#context.history, this.transaction, from, to);
  }

  reply(payload: JsonValue): Promise<void> {
    return this.say({ type: 'MESSAGE', payload });
  }

  replyAudio({ bytes, mime, durationMs }: AudioMessage = {} as AudioMessage): Promise<void> {
    const payload: JsonObject = {
      message_id: this.#context.ids(),
      mime,
      ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
    };
    return this.say({ type: 'AUDIO', payload, bytes, mime });
  }

  stream(options: StreamOptions = {}): Promise<MessageWriter> {
    return heard(this.#stream(options));
  }

  async #stream(options: StreamOptions): Promise<MessageWriter> {
    const messageId = this.#context.ids();
    const { author, pace: setBy } = options;
    const payload = author === undefined ? { message_id: messageId } : { message_id: messageId, author };
    const { limits } = this.#context;
    const start = this.#checked({ type: 'MESSAGE_START', payload });
    const asker = setBy === 'asker' ? (this.message.user ?? undefined) : undefined;
    const pace = new Pace(this.#log, limits.maxReaderLag, this.stop, asker);
    await this.#begin(start);
    return new StreamWriter(messageId, limits, this, pace, this.#mostGathered);
  }

  call(tool: string, params?: JsonValue): Promise<Call> {
    return heard(this.#call(tool, params));
  }

  async #call(tool: string, params: JsonValue | undefined): Promise<Call> {
    const call = new ToolCall(this.#context.ids(), this);
    const payload = { call_id: call.id, tool, ...(params === undefined ? {} : { params }) };
    const start = this.#checked({ type: 'TOOL_CALL', payload });
    this.#calls ??= new Set();
    this.#calls.add(call);
    await this.#begin(start);
    return call;
  }

  /** A run begins with the first thing that is more than a reply. */
  #begin(statement: Statement): Promise<void> {
    this.#refuse();
    return this.#write([...this.#pen.runStart(), statement]);
  }

  /** Appends what the tool says. Rejects when that is no message, once the turn is stopped or over, and when the log refused it. */
  say(statement: Statement): Promise<void> {
    try {
      this.#refuse();
      return this.#write([this.#checked(statement)]);
    } catch (error) {
      return heard(Promise.reject(error));
    }
  }

  async sayLast(statement: Statement): Promise<void> {
    if (this.#over) throw this.wrong(new Error(turnIsOver));
    await this.#write([this.#checked(statement)]);
  }

  gather(writer: StreamWriter): void {
    this.#refuse();
    this.#gathering ??= new Gathering(this.#pen, this.#context.endOfTurn);
    this.#gathering.add(writer);
  }

  storeGathered(): void {
    this.#gathering?.store();
  }

  append(part: Statement, writer: StreamWriter): Pending {
    try {
      this.#latest = this.#pen.write([part])?.catch((error: unknown) => this.#lose(writer, error));
      return this.#latest;
    } catch (error) {
      this.#lose(writer, error);
    }
  }

  #lose(writer: StreamWriter, error: unknown): void {
    writer.lose(this.#noted(error));
    // What could not be paid stopped the turn.
    if (error instanceof Refused || error === this.stop.reason) return;
    this.#isTorn = true;
    this.#context.log('error', 'text not stored', { transaction: this.transaction, message: this.id, error });
  }

  grace(over: () => void): Timer {
    return this.#context.clock.timer(this.#context.limits.stopGraceMs, over);
  }

  #checked(statement: Statement): Statement {
    try {
      return checkedStatement(statement, this.#context.limits);
    } catch (error) {
      throw this.wrong(error);
    }
  }

  /** Told once, as a tool that goes on after its turn may do so with every token; of one that was stopped the rest is known. */
  wrong<T>(error: T): T {
    if (this.#wasWrong || this.stop.stopped) return error;
    this.#wasWrong = true;
    this.#context.log('warn', 'statement rejected', { transaction: this.transaction, message: this.id, error });
    return error;
  }

  /** @throws once nothing may be written any more, with why. */
  #refuse(): void {
    if (this.#over) throw this.wrong(new Error(turnIsOver));
    if (this.stop.stopped) throw this.stop.reason;
  }

  #write(statements: readonly Statement[]): Promise<void> {
    // Nothing comes before what was said before it.
    this.storeGathered();
    try {
      const pending = this.#pen.write(statements);
      if (!pending) return settled;
      const written = pending.catch((error: unknown) => this.#unstored(error));
      this.#latest = written.catch(() => {});
      return written;
    } catch (error) {
      return heard(Promise.reject(this.#noted(error)));
    }
  }

  #unstored(error: unknown): never {
    this.#noted(error);
    if (!(error instanceof Refused) && error !== this.stop.reason) {
      this.#context.log('error', 'statement not stored', { transaction: this.transaction, message: this.id, error });
      // Its tool had returned: nobody waited for it, and nobody will say it again.
      if (this.#over) this.#isTorn = true;
    }
    throw error;
  }

  /** What the log will take nothing after is the end of the turn. */
  #noted(error: unknown): unknown {
    if (error instanceof Refused && error.isFinal) this.halt(error);
    return error;
  }

  /** Closes a message stream: its END carries the whole text, then its parts are deleted. */
  async endStream(messageId: string, status: string | undefined): Promise<void> {
    await this.#log.refresh();
    const stream = this.#log.state.streams.get(messageId);
    if (stream === undefined || this.#over) return;
    const closing = closeMessage(this.#pen, messageId, stream, status, this.#context.limits.maxTextBytes);
    await this.#pen.store([closing.draft]);
    await compactEnded(this.#log, closing);
  }

  /** Hears what people said of its run and its calls. */
  look(): void {
    const { state } = this.#log;
    if (state.ended) return this.halt(new Stopped('the transaction has ended', interrupted));
    const cancel = state.runs.get(this.#pen.runId ?? '')?.cancel;
    if (cancel) return this.halt(new Stopped('the run was cancelled', cancelled(), cancel.heardMs));
    for (const call of this.#calls ?? []) {
      if (call.isOver) this.#calls?.delete(call);
      else call.look(state.calls.get(call.id));
    }
  }

  /** Stops the turn: its signal and those of its calls are aborted, and all that its tool still has is its last words. */
  halt(reason: unknown): void {
    this.stop.stop(reason);
    for (const call of this.#calls ?? []) call.halt(reason);
  }

  /** Ends the turn: closes what the tool left open, then the run. Whatever comes later is refused. */
  finish(ending: Ending): Pending {
    this.storeGathered();
    this.#over = true;
    for (const call of this.#calls ?? []) call.close();
    if (!this.#pen.beganRun && ending === finished && !this.#pen.atRest()) return;
    return this.#conclude(ending);
  }

  async #conclude(ending: Ending): Promise<void> {
    // What the store still has in hand of this turn must not come behind its end.
    await this.#pen.atRest();
    await this.#latest;
    const outcome = this.outcome(ending);
    const hadRun = await closeOpen(this.#log, this.#pen, outcome, this.#context.limits.maxTextBytes);
    // A turn that did not even begin a run, and did not end well, says so in one of its own.
    if (hadRun || outcome === finished || this.#log.state.ended) return;
    await this.#pen.write([...this.#pen.runStart(), { type: outcome.type, payload: outcome.payload }]);
  }

  /** How it ends: an answer that lacks some of its text did not go well, whatever its tool made of that. */
  outcome(ending: Ending): Ending {
    return this.#isTorn && ending === finished ? failed() : ending;
  }
}

const turnIsOver = 'the turn is over: nothing more can be written in it';
