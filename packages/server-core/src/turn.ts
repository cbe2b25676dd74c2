// One message being answered: what a tool sees of it, and what it may write. Everything goes to the log under the
// lease's fence; once the turn is over nothing more does. Spec: §4, §6, runs.

import {
  type AudioMessage,
  type Conversation,
  channels,
  type Draft,
  type Entry,
  emptyConversation,
  type HAIPUser,
  type JsonObject,
  type JsonValue,
  type MessageWriter,
  type Pending,
  reduceConversation,
  type Subject,
  subjectOf,
  type Turn,
} from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { endPayload } from './drafting.ts';
import type { LiveLog } from './live-log.ts';
import { Stop } from './stop.ts';
import { StreamWriter } from './stream-writer.ts';

/** What a turn's calls give when all was done at once. */
export const settled: Promise<void> = Promise.resolve();

/** What ended a turn. */
export type TurnEnd = 'OK' | 'CANCELLED' | 'ERROR';

/** What of an entry a turn says itself; the rest is stamped. */
interface Statement {
  readonly type: string;
  readonly payload: JsonValue;
  readonly size?: number;
  readonly bytes?: Uint8Array;
  readonly mime?: string;
  /** Where it is known already. */
  readonly subject?: Subject | undefined;
}

export class ToolTurn implements Turn {
  readonly message: Entry;
  readonly stop = new Stop();
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #session: string;
  readonly #fence: number;
  #writers: StreamWriter[] | undefined;
  #runId: string | undefined;
  #answered = false;
  #over = false;

  constructor(context: ServerContext, log: LiveLog, message: Entry, session: string, fence: number) {
    this.#context = context;
    this.#log = log;
    this.message = message;
    this.#session = session;
    this.#fence = fence;
  }

  get id(): string {
    return this.message.id;
  }

  get transaction(): string {
    return this.#log.transaction;
  }

  get params(): JsonValue {
    return this.#log.record.params;
  }

  get user(): Pick<HAIPUser, 'id' | 'claims'> {
    const id = this.message.user ?? '';
    return { id, claims: this.#log.author(id)?.claims };
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  get runId(): string | undefined {
    return this.#runId;
  }

  async conversation(): Promise<Conversation> {
    let conversation = emptyConversation;
    let from = 1;
    while (true) {
      const page = await this.#context.history.read(this.transaction, { from });
      for (const entry of page?.entries ?? []) conversation = reduceConversation(conversation, entry);
      const last = page?.entries.at(-1)?.position;
      if (page === null || last === undefined || last >= page.last) return conversation;
      from = last + 1;
    }
  }

  reply(payload: JsonValue): Promise<void> {
    return this.say({ type: 'MESSAGE', payload });
  }

  replyAudio({ bytes, mime, durationMs }: AudioMessage): Promise<void> {
    const payload: JsonObject = {
      message_id: this.#context.ids(),
      mime,
      ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
    };
    return this.say({ type: 'AUDIO', payload, bytes, mime, size: bytes.length + 256 });
  }

  async stream(options: { readonly author?: string | undefined } = {}): Promise<MessageWriter> {
    const messageId = this.#context.ids();
    const { author } = options;
    const payload = author === undefined ? { message_id: messageId } : { message_id: messageId, author };
    this.#refuse();
    const writer = new StreamWriter(messageId, this.#context.limits, this);
    // Known before it is stored: a turn that ends meanwhile must find it.
    this.#writers ??= [];
    this.#writers.push(writer);
    writer.begun = this.#append([...this.#runStart(), { type: 'MESSAGE_START', payload }]);
    await writer.begun;
    return writer;
  }

  /** Appends what the tool says. Rejects once the turn is over, when it was stopped, and when the log refused it. */
  say(statement: Statement): Promise<void> {
    try {
      this.#refuse();
      return this.#store([this.#draft(statement)]) ?? settled;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @throws once nothing may be written any more, with why. */
  #refuse(): void {
    if (this.#over) throw new Error('the turn is over: nothing more can be written in it');
    if (this.stop.stopped) throw this.stop.reason;
  }

  /** Closes a message stream: its END carries the whole text, then its parts are deleted. */
  async endStream(messageId: string, status: string | undefined): Promise<void> {
    await this.#log.refresh();
    const stream = this.#log.state.streams.get(messageId);
    if (stream === undefined) return;
    const written: JsonObject = status === undefined ? { message_id: messageId } : { message_id: messageId, status };
    const payload = endPayload(written, stream, this.#context.limits.maxTextBytes);
    const draft = this.#draft({ type: 'MESSAGE_END', payload, size: stream.text.length + 512 });
    await this.#store([draft]);
    if (draft.outcome?.kind !== 'stored' || !('text' in payload)) return;
    await this.#log.compact({ messageId, start: stream.start, end: draft.outcome.position });
  }

  /** Ends the turn: closes what the tool left open, then the run. Whatever comes later is refused. */
  finish(end: TurnEnd, fault?: JsonObject): Pending {
    if (this.#writers !== undefined && !this.#log.state.ended) return this.#closeAll(this.#writers, end, fault);
    return this.#conclude(end, fault);
  }

  async #closeAll(writers: readonly StreamWriter[], end: TurnEnd, fault?: JsonObject): Promise<void> {
    const status = end === 'OK' ? undefined : end === 'CANCELLED' ? 'cancelled' : 'interrupted';
    const closed = await Promise.allSettled(writers.map((writer) => writer.close(status)));
    await this.#conclude(end, fault);
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  /** The end of the transaction was the end of the run, too. */
  #conclude(end: TurnEnd, fault?: JsonObject): Pending {
    this.#over = true;
    if (this.#log.state.ended) return;
    if (end === 'ERROR') {
      const payload = fault ?? { code: 'TOOL_EXECUTION_ERROR', message: 'the tool failed' };
      return this.#append([...this.#runStart(), { type: 'RUN_ERROR', payload }]);
    }
    if (this.#runId !== undefined) return this.#append([{ type: 'RUN_FINISHED', payload: { status: end } }]);
  }

  /** A run begins with the first thing that is more than a reply. */
  #runStart(): Statement[] {
    if (this.#runId !== undefined) return [];
    this.#runId = this.#context.ids();
    return [{ type: 'RUN_STARTED', payload: { run_id: this.#runId } }];
  }

  #append(statements: readonly Statement[]): Pending {
    return this.#store(statements.map((statement) => this.#draft(statement)));
  }

  #draft(statement: Statement): Draft {
    const { type, payload, bytes, mime } = statement;
    const first = !this.#answered;
    this.#answered = true;
    return {
      id: this.#context.ids(),
      user: null,
      session: this.#session,
      ts: this.#context.clock.now(),
      channel: channels.agent,
      type,
      payload,
      bytes,
      mime,
      size: statement.size ?? 256 + (typeof payload === 'string' ? payload.length : JSON.stringify(payload).length),
      run_id: this.#runId,
      thread_id: undefined,
      related_id: first ? this.message.id : undefined,
      // Ids of the agent are new each time, so nothing of its is ever compared.
      digest: '',
      subject: statement.subject ?? subjectOf(type, payload, '', this.#runId),
      outcome: undefined,
    };
  }

  #store(drafts: readonly Draft[]): Pending {
    const pending = this.#log.append(drafts, this.#fence);
    if (pending) return pending.then(() => this.#check(drafts));
    this.#check(drafts);
  }

  #check(drafts: readonly Draft[]): void {
    for (const { outcome, type } of drafts) {
      if (outcome?.kind === 'stored') continue;
      const why = outcome?.kind === 'refused' ? outcome.why : 'repeat';
      const reason = new Error(`${type} was refused: ${reasons[why]}`);
      this.stop.stop(reason);
      throw reason;
    }
  }
}

const reasons = {
  missing: 'the transaction is gone',
  lease: 'another node answers this transaction now',
  ended: 'the transaction has ended',
  subject: 'the message or run is closed',
  repeat: 'the id is taken',
} as const;
