// One log within a commit: as it was found, and what works make of it. Collects what is to be written; reads and writes
// nothing itself. Spec: §3, §4.

import {
  type Answers,
  type AppendWork,
  judgeDrafts,
  type Known,
  type LeaseWork,
  type LogRow,
  mayForget,
  mayTrim,
  planTrim,
  type SaveLeaseWork,
  type Slot,
  type StoredRow,
  type SubjectState,
  takeLease,
  type WindowLimits,
} from '@haip/history-engine';
import type { Outcome } from '@haip/protocol';
import { type FrontEntry, slotsOf } from './log-rows.ts';

/** The front of a log's window as far as it was read. */
export interface Front {
  /** Null when it was not looked at: nothing had to go. */
  readonly entries: readonly FrontEntry[] | null;
  /** How many were asked for. */
  readonly few: number;
}

export class LogInHand {
  readonly row: LogRow;
  /** Where the window began before. */
  readonly firstBefore: number;
  readonly stored: StoredRow[] = [];
  /** Subjects that are new or changed. */
  readonly subjects: Set<SubjectState> = new Set();
  /** Users who joined. */
  readonly members: string[] = [];
  /** Whether the row is to be written. */
  isChanged = false;
  /** Whether ids and subjects that are old enough are to be deleted. */
  forgets = false;
  front: Front;
  readonly #known: Known;

  constructor(row: LogRow, known: Known, front: Front) {
    this.row = row;
    this.firstBefore = row.first;
    this.front = front;
    this.#known = known;
  }

  append({ rows, fence }: Pick<AppendWork, 'rows' | 'fence'>, now: number): readonly Outcome[] {
    const plan = judgeDrafts(this.row, rows, fence, this.#known, now);
    for (const subject of plan.subjects) this.subjects.add(subject);
    for (const stored of plan.stored) {
      this.stored.push(stored);
      const { type, author } = stored.row;
      if (type === 'TRANSACTION_JOIN' && author !== '') this.members.push(author);
    }
    this.isChanged ||= plan.stored.length > 0;
    return plan.outcomes;
  }

  lease(work: LeaseWork, now: number): Answers['lease'] {
    const lease = takeLease(this.row, work, now);
    this.isChanged ||= lease !== null;
    return lease;
  }

  saveLease({ fence, record }: SaveLeaseWork): void {
    if (fence !== this.row.fence) return;
    this.row.leaseRecord = record;
    this.isChanged = true;
  }

  /** Lets go of what the window has no room for. False when more of its front must be read first. */
  trim(limits: WindowLimits, now: number): boolean {
    if (!mayTrim(this.row, limits, now)) return true;
    const { entries, few } = this.front;
    if (entries === null) return false;
    const slots = slotsOf(entries, this.#known.subjects);
    const areAll = entries.length < few;
    if (areAll) slots.push(...this.stored.map((stored) => this.#slotOf(stored, now)));
    const plan = planTrim(this.row, limits, now, slots, areAll);
    if (plan === undefined) return false;
    const { entriesLeft, ...window } = plan;
    Object.assign(this.row, window);
    for (const [subject, left] of entriesLeft) {
      subject.entries = left;
      this.subjects.add(subject);
    }
    this.isChanged = true;
    return true;
  }

  /** Notes whether it is time to forget what is old. */
  tidy(limits: WindowLimits, now: number): void {
    if (!mayForget(this.row, limits, now)) return;
    this.row.tidiedAt = now;
    this.forgets = true;
    this.isChanged = true;
  }

  #slotOf({ position, row, stream }: StoredRow, at: number): Slot {
    return { position, at, size: row.size, stream: this.#known.subjects.get(stream ?? '') ?? null };
  }
}
