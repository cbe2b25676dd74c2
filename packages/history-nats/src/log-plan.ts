// Judges works on one log by what is known of it, and says what is to be written. Pure: writes on nothing that is known, as
// others may turn out to have been faster. Spec: §3, §4.

import {
  type Answer,
  type Answers,
  type AppendWork,
  type CompactWork,
  type CreateWork,
  judgeDrafts,
  type Known,
  type LeaseWork,
  onceKey,
  type SaveLeaseWork,
  type SubjectState,
  subjectKeys,
  type WindowLimits,
} from '@haip/history-engine';
import type { JsonValue, Outcome } from '@haip/protocol';
import type { Addition, Plan } from './fold.ts';
import {
  encodeOps,
  type LettingGo,
  type LogChange,
  type LogHeading,
  type LogOp,
  type PlannedOp,
  storedDraft,
} from './log-change.ts';
import type { LeaseState, LogFold } from './log-fold.ts';

/** What is asked of a log that is there. */
export type LogWork = AppendWork | CompactWork | LeaseWork | SaveLeaseWork;

const missing: Outcome = { kind: 'refused', why: 'missing' };

/** What is added for some works, one after the other, and the answer to each. */
export function planWorks(
  fold: LogFold,
  works: readonly LogWork[],
  limits: WindowLimits,
  at: number,
): Plan<LogChange, Answer[]> {
  if (fold.beginning === undefined || fold.isOver) return { answer: works.map(absent) };
  const draft = new LogDraft(fold, limits, at);
  const answer = works.map((work) => draft.write(work));
  const isSure = works.every((work, i) => work.kind === 'append' && isRepeated(answer[i] as readonly Outcome[]));
  return { answer, addition: draft.addition(), isSure };
}

/** The first link of a log; no addition when there is one already. */
export function planBeginning(fold: LogFold, work: CreateWork, serial: number, at: number): Plan<LogChange, Outcome> {
  if (fold.beginning !== undefined || fold.isOver) return { answer: missing };
  const { record, starter, referenceId, row } = work;
  const log = { ...fold.log };
  const { outcomes } = judgeDrafts(log, [row], undefined, { keys: new Map(), subjects: new Map() }, at);
  const ops: PlannedOp[] = [
    { op: 'begin', beginning: { record, starter, referenceId, serial } },
    { op: 'store', rows: [row] },
  ];
  const heading = { last: log.last, at: log.lastAt, front: log.frontAt, ended: log.endedAt };
  return { answer: outcomes[0] as Outcome, addition: additionOf(ops, heading, undefined) };
}

/** Sees to it that a log that has not begun never will. Says whether it never will. */
export function planNothing(fold: LogFold): Plan<LogChange, boolean> {
  if (fold.beginning !== undefined || fold.isOver) return { answer: fold.isOver };
  const heading = { last: 0, at: 0, front: null, ended: null, over: true } as const;
  return { answer: true, addition: additionOf([], heading, undefined) };
}

/** Trims what ran out of its time, with nobody asking for anything. Says whether there was something. */
export function planTidying(fold: LogFold, limits: WindowLimits, at: number): Plan<LogChange, boolean> {
  if (fold.beginning === undefined || fold.isOver) return { answer: false };
  const draft = new LogDraft(fold, limits, at);
  return { answer: draft.isTrimming, addition: draft.isTrimming ? draft.addition(true) : undefined };
}

/** Ends a transaction whose record's time ran out; says whether it has ended. */
export function planEnd(fold: LogFold, limits: WindowLimits, at: number): Plan<LogChange, boolean> {
  const { beginning, isOver, log } = fold;
  if (beginning === undefined || isOver) return { answer: isOver };
  if (at - log.lastAt < limits.recordTtlMs) return { answer: false };
  const heading = { last: log.last, at: log.lastAt, front: null, ended: log.endedAt, over: true } as const;
  return { answer: true, addition: additionOf([], heading, undefined) };
}

function absent(work: LogWork): Answer {
  if (work.kind === 'append') return work.rows.map(() => missing);
  return work.kind === 'lease' ? null : undefined;
}

function isRepeated(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ kind }) => kind === 'repeat');
}

function additionOf(
  ops: readonly PlannedOp[],
  heading: LogHeading,
  lettingGo: LettingGo | undefined,
): Addition<LogChange> {
  const read = ops.map((op): LogOp => (op.op === 'store' ? { op: 'store', drafts: op.rows.map(storedDraft) } : op));
  return {
    change: { ops: read, heading, lettingGo },
    content: encodeOps(ops),
    heading: heading as unknown as JsonValue,
    aside: lettingGo as JsonValue | undefined,
    // For those who are told of a link but not what is in it.
    headers: ops.some(({ op }) => op === 'store') ? { 'Haip-Position': String(heading.last) } : undefined,
  };
}

/** A log as it would be, work by work. */
class LogDraft {
  readonly #fold: LogFold;
  readonly #limits: WindowLimits;
  readonly #at: number;
  readonly #trim: LettingGo['trim'];
  readonly #known: Known = { keys: new Map(), subjects: new Map() };
  readonly #ops: PlannedOp[] = [];
  #log: LogFold['log'];
  #lease: LeaseState;

  constructor(fold: LogFold, limits: WindowLimits, at: number) {
    this.#fold = fold;
    this.#limits = limits;
    this.#at = at;
    this.#log = { ...fold.log };
    this.#lease = fold.lease;
    const plan = fold.window.trimOf(fold.log, limits, at);
    if (plan !== undefined && plan.first > fold.log.first) {
      const { first, frontAt, messages, bytes } = plan;
      this.#trim = [first, frontAt];
      Object.assign(this.#log, { first, frontAt, messages, bytes });
    }
  }

  get isTrimming(): boolean {
    return this.#trim !== undefined;
  }

  write(work: LogWork): Answer {
    switch (work.kind) {
      case 'append':
        return this.#append(work);
      case 'compact':
        return this.#compact(work);
      case 'lease':
        return this.#grant(work);
      case 'saveLease':
        return this.#save(work);
    }
  }

  /** Undefined when nothing is to be written, unless tidying is. */
  addition(isTidying = false): Addition<LogChange> | undefined {
    if (this.#ops.length === 0 && !isTidying) return undefined;
    const { last, lastAt, frontAt, endedAt } = this.#log;
    const { keyTtlMs } = this.#limits;
    const isOld = this.#at - this.#fold.tidiedAt >= keyTtlMs / 16;
    const lettingGo = { trim: this.#trim, forget: isOld ? this.#at - keyTtlMs : undefined };
    const isLettingGo = this.#trim !== undefined || isOld;
    const heading = { last, at: lastAt, front: frontAt, ended: endedAt };
    return additionOf(this.#ops, heading, isLettingGo ? lettingGo : undefined);
  }

  #append({ rows, fence }: AppendWork): readonly Outcome[] {
    this.#lookUp(rows);
    const { outcomes, stored } = judgeDrafts(this.#log, rows, fence, this.#known, this.#at);
    if (stored.length > 0) {
      this.#ops.push({ op: 'store', rows: stored.map(({ row }) => row) });
    }
    return outcomes;
  }

  /** Makes known what bears on drafts, in copies: judging writes on it. */
  #lookUp(rows: AppendWork['rows']): void {
    const { keys } = this.#known;
    for (const { author, id } of rows) {
      const place = this.#fold.find(author, id);
      if (place !== undefined && !keys.has(onceKey(author, id))) keys.set(onceKey(author, id), place);
    }
    for (const key of subjectKeys(rows)) {
      const inner = this.#subject(key)?.inner;
      if (inner !== null && inner !== undefined) this.#subject(inner);
    }
  }

  #subject(key: string): SubjectState | undefined {
    const known = this.#known.subjects.get(key);
    if (known !== undefined) return known;
    const subject = this.#fold.subjects.get(key);
    if (subject === undefined) return undefined;
    const copy = { ...subject };
    this.#known.subjects.set(key, copy);
    return copy;
  }

  /** Deletes the pieces of a message that has its end with the whole text. */
  #compact({ stream: key, start, end }: CompactWork): undefined {
    const stream = this.#subject(key);
    if (stream === undefined || stream.state !== 'whole' || stream.last !== end || stream.entries < 2) return;
    this.#ops.push({ op: 'compact', stream: key, start, end });
    // The same again in one group finds nothing.
    stream.entries = 1;
  }

  #grant({ holder, ttlMs }: LeaseWork): Answers['lease'] {
    const held = this.#lease;
    if (held.holder !== holder && held.until > this.#at) return null;
    // Above all that were ever given: where NATS lost what came last, one that was given may be among it.
    const fence = held.holder === holder ? this.#log.fence : Math.max(this.#log.fence + 1, this.#at);
    this.#log = { ...this.#log, fence };
    this.#lease = { ...held, holder, until: this.#at + ttlMs };
    this.#ops.push({ op: 'lease', holder, fence, until: this.#lease.until });
    return { fence, record: held.record };
  }

  #save({ fence, record }: SaveLeaseWork): undefined {
    if (fence !== this.#log.fence) return;
    this.#lease = { ...this.#lease, record };
    this.#ops.push({ op: 'save', record });
  }
}
