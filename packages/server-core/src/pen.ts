// Writes what an agent says into its log, under the fence of its lease: stamps each entry, knows which run it belongs to
// and what it answers, and what is on its way to the store. Spec: §4, §6.

import { channels, type Draft, type JsonValue, type Pending, type Subject, subjectOf } from '@haip/protocol';
import { AppendQueue } from './append-queue.ts';
import type { ServerContext } from './context.ts';
import type { LiveLog } from './live-log.ts';
import type { Meter } from './meter.ts';

/** What an entry's other fields take, roughly. */
export const ENVELOPE_BYTES = 256;

/** What of an entry an agent says itself; the rest is stamped. */
export interface Statement {
  readonly type: string;
  readonly payload: JsonValue;
  readonly size?: number;
  readonly bytes?: Uint8Array;
  readonly mime?: string;
  /** Where it is known already. */
  readonly subject?: Subject | undefined;
}

const reasons = {
  missing: 'the transaction is gone',
  lease: 'another node answers this transaction now',
  ended: 'the transaction has ended',
  subject: 'the message, call or run is closed',
  repeat: 'the id is taken',
} as const;

/** The log did not take an entry. */
export class Refused extends Error {
  readonly why: keyof typeof reasons;

  constructor(type: string, why: keyof typeof reasons) {
    super(`${type} was refused: ${reasons[why]}`);
    this.name = 'Refused';
    this.why = why;
  }

  /** Whether nothing else would be taken either. */
  get isFinal(): boolean {
    return this.why !== 'subject' && this.why !== 'repeat';
  }
}

export class Pen {
  /** The run that entries belong to from now on. */
  runId: string | undefined;
  /** Whether there may be a run in the log: its beginning may be stored although the store said nothing. */
  beganRun = false;
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #session: string;
  readonly #fence: number;
  /** Of the log that the fence is for: another one may have given the same number to somebody else. */
  readonly #epoch: string;
  /** The message that the first entry answers. */
  #answers: string | undefined;
  readonly #meter: Meter | undefined;
  readonly #queue = new AppendQueue((drafts) => this.#appendNow(drafts));
  #underWay = 0;
  #atRest: PromiseWithResolvers<void> | undefined;

  /**
   * @param answers the message that the first entry answers
   * @param meter has what it writes paid for
   */
  constructor(context: ServerContext, log: LiveLog, session: string, fence: number, answers?: string, meter?: Meter) {
    this.#context = context;
    this.#log = log;
    this.#epoch = log.epoch;
    this.#session = session;
    this.#fence = fence;
    this.#answers = answers;
    this.#meter = meter;
  }

  /** Nothing, or a promise that resolves when everything that was begun is stored, or is not. */
  atRest(): Pending {
    if (this.#underWay === 0) return;
    this.#atRest ??= Promise.withResolvers();
    return this.#atRest.promise;
  }

  /** What begins a run, unless one was begun. */
  runStart(): Statement[] {
    if (this.runId !== undefined) return [];
    this.runId = this.#context.ids();
    this.beganRun = true;
    return [{ type: 'RUN_STARTED', payload: { run_id: this.runId } }];
  }

  /** @throws Refused, or rejects with it, for the first statement that the log did not take. */
  write(statements: readonly Statement[]): Pending {
    return this.store(statements.map((statement) => this.draft(statement)));
  }

  /** @throws Refused, or rejects with it, for the first draft that the log did not take. */
  store(drafts: readonly Draft[]): Pending {
    const pending = this.append(drafts);
    if (pending) return pending.then(() => check(drafts));
    check(drafts);
  }

  draft({ type, payload, size, bytes, mime, subject }: Statement, runId = this.runId): Draft {
    const related_id = this.#answers;
    this.#answers = undefined;
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
      size: size ?? ENVELOPE_BYTES + (typeof payload === 'string' ? payload.length : JSON.stringify(payload).length),
      run_id: runId,
      thread_id: undefined,
      related_id,
      // Ids of the agent are new each time, so nothing of its is ever compared.
      digest: '',
      subject: subject ?? subjectOf(type, payload, '', runId),
      outcome: undefined,
    };
  }

  /** Appends drafts in one step, after all that was appended before; what became of each is in its outcome. */
  append(drafts: readonly Draft[]): Pending {
    const pending =
      this.#meter && !this.#isStale
        ? this.#meter.pass(drafts, () => this.#queue.push(drafts))
        : this.#queue.push(drafts);
    if (!pending) return this.#written(drafts);
    this.#underWay++;
    return pending.finally(() => {
      this.#written(drafts);
      if (--this.#underWay > 0) return;
      this.#atRest?.resolve();
      this.#atRest = undefined;
    });
  }

  /** Whether another log has taken the place of the one that it writes in. */
  get #isStale(): boolean {
    return this.#log.epoch !== this.#epoch;
  }

  #appendNow(drafts: readonly Draft[]): Pending {
    if (!this.#isStale) return this.#log.append(drafts, this.#fence);
    for (const draft of drafts) draft.outcome = { kind: 'refused', why: 'lease' };
  }

  /** What was to be the first entry, or to begin the run, and was not stored, leaves that to the next one. */
  #written([first]: readonly Draft[]): void {
    if (first === undefined || first.outcome?.kind === 'stored') return;
    this.#answers ??= first.related_id;
    if (first.type === 'RUN_STARTED') this.runId = undefined;
  }
}

function check(drafts: readonly Draft[]): void {
  for (const { outcome, type } of drafts) {
    if (outcome?.kind === 'stored') continue;
    throw new Refused(type, outcome?.kind === 'refused' ? outcome.why : 'repeat');
  }
}

/** Whether another node holds the lease that something was written under. */
export function isStale(error: unknown): boolean {
  return error instanceof Refused && error.why === 'lease';
}
