// A call that an agent makes in its turn, as the tool holds it: tells how far it is, asks people, ends once. What people
// say of it comes from the log. Spec: §6, tools.

import type { Call, CallEnd, JsonValue, Timer } from '@haip/protocol';
import { cancelled, Stopped } from './ending.ts';
import type { OpenCall } from './log-state.ts';
import { Refused, type Statement } from './pen.ts';
import { heard } from './promises.ts';
import { Stop } from './stop.ts';

/** What a call writes through: its turn. */
export interface CallLog {
  /** Writes while the turn goes on. */
  say(statement: Statement): Promise<void>;
  /** Writes a last word: also after the turn was stopped, until it is over. */
  sayLast(statement: Statement): Promise<void>;
  /** Begins the time that a tool has for its own last word. */
  grace(over: () => void): Timer;
}

export class ToolCall implements Call {
  readonly id: string;
  readonly #log: CallLog;
  readonly #stop = new Stop();
  #question: PromiseWithResolvers<boolean> | undefined;
  #approved: boolean | undefined;
  #ended: Promise<void> | undefined;
  #isInLog = false;
  #grace: Timer | undefined;

  constructor(id: string, log: CallLog) {
    this.id = id;
    this.#log = log;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether nothing that anybody says of it matters any more. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  progress(progress?: number, partial?: JsonValue): Promise<void> {
    const told = { ...(progress === undefined ? {} : { progress }), ...(partial === undefined ? {} : { partial }) };
    return heard(this.#update({ status: 'RUNNING', ...told }));
  }

  ask(question: JsonValue): Promise<boolean> {
    return heard(this.#ask(question));
  }

  async #ask(question: JsonValue): Promise<boolean> {
    if (this.#question) throw new Error('a call asks once: make another call for another question');
    const asked = Promise.withResolvers<boolean>();
    this.#question = asked;
    // Whoever asked waits for it below; when the asking itself fails, nobody does.
    heard(asked.promise);
    try {
      await this.#update({ status: 'WAITING', ask: question });
    } catch (error) {
      // Nobody was asked.
      this.#question = undefined;
      throw error;
    }
    return asked.promise;
  }

  done(result?: JsonValue, status: CallEnd = this.#regularEnd): Promise<void> {
    this.#ended ??= this.#end(result, status).catch((error: unknown) => {
      // The first end in the log wins; that another one was is no fault of the tool's.
      if (error instanceof Refused && error.why === 'subject') return;
      this.#ended = undefined;
      throw error;
    });
    return heard(this.#ended);
  }

  get #regularEnd(): CallEnd {
    const { stopped, reason } = this.#stop;
    if (stopped) return reason instanceof Stopped ? reason.ending.call : 'INTERRUPTED';
    return this.#approved === false ? 'DENIED' : 'OK';
  }

  async #end(result: JsonValue | undefined, status: CallEnd): Promise<void> {
    const payload = { call_id: this.id, status, ...(result === undefined ? {} : { result }) };
    await this.#log.sayLast({ type: 'TOOL_DONE', payload });
    this.#grace?.cancel();
    this.#question?.reject(new Error('the call has ended'));
  }

  async #update(fields: { readonly [name: string]: JsonValue }): Promise<void> {
    if (this.#ended) throw new Error('the call has ended: nothing more can be told of it');
    if (this.#stop.stopped) throw this.#stop.reason;
    await this.#log.say({ type: 'TOOL_UPDATE', payload: { call_id: this.id, ...fields } });
  }

  /** Hears what the log says of it now. */
  look(open: OpenCall | undefined): void {
    if (open === undefined) {
      if (this.#isInLog && !this.#ended) this.#endedByOthers();
      return;
    }
    this.#isInLog = true;
    if (open.isCancelled) this.#cancel();
    if (open.approved === undefined) return;
    this.#approved = open.approved;
    this.#question?.resolve(open.approved);
  }

  #endedByOthers(): void {
    this.#grace?.cancel();
    this.halt(new Stopped('somebody else ended the call', cancelled('somebody else ended a call')));
    this.#ended = Promise.resolve();
  }

  /** The tool may have a last word, but not for ever. */
  #cancel(): void {
    if (this.#ended || this.#stop.stopped) return;
    this.#grace = this.#log.grace(() => void this.done(undefined, 'CANCELLED').catch(() => {}));
    this.halt(new Stopped('the call was cancelled', cancelled('a call was cancelled')));
  }

  /** Stops it, if it goes on: people wanted that, or its turn is stopped. */
  halt(reason: unknown): void {
    if (this.#ended === undefined) this.#stop.stop(reason);
    this.#question?.reject(reason);
  }

  /** Its turn is over. */
  close(): void {
    this.#grace?.cancel();
    this.halt(new Error('the turn is over'));
  }
}
