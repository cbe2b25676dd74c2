// A group of works: what must be known to judge them, and what becomes of each, in order. Pure. Spec: §3, §4.

import {
  type Answer,
  type AppendWork,
  type CreateWork,
  type Creation,
  OVERHEAD,
  subjectKeys,
  type Work,
} from '@haip/history-engine';
import type { Outcome } from '@haip/protocol';
import { toColumn } from './column-text.ts';
import type { LogInHand } from './log-in-hand.ts';

/** What bears on the works on one transaction, as columns have it. */
export interface Wanted {
  readonly id: string;
  readonly keys: { readonly author: string; readonly id: string }[];
  readonly subjects: string[];
  /** How many entries, and bytes, may come to it. */
  adds: number;
  grows: number;
}

/** What was found. */
export interface Found {
  readonly epoch: string;
  /** Logs by their transaction's id. */
  readonly logs: ReadonlyMap<string, LogInHand>;
  /** The ids of transactions that this commit has made, by {@link referenceKey}. */
  readonly made: Map<string, string>;
  /** Records by {@link referenceKey}. */
  readonly known: ReadonlyMap<string, { readonly record: string; readonly endedAt: number | null }>;
}

export function referenceKey(starter: string, reference: string): string {
  return JSON.stringify([starter, reference]);
}

/** Transactions that works need to know about, each once. */
export function wantedFor(works: readonly Work[]): Wanted[] {
  const all = new Map<string, Wanted>();
  for (const work of works) {
    if (work.kind === 'revoke' || work.kind === 'compact') continue;
    const id = toColumn(work.transaction);
    let wanted = all.get(id);
    if (wanted === undefined) {
      wanted = { id, keys: [], subjects: [], adds: 0, grows: 0 };
      all.set(id, wanted);
    }
    if (work.kind === 'append') want(wanted, work.rows);
    if (work.kind === 'create') want(wanted, [work.row]);
  }
  return [...all.values()];
}

function want(wanted: Wanted, rows: AppendWork['rows']): void {
  for (const { author, id, size } of rows) {
    wanted.keys.push({ author: toColumn(author), id: toColumn(id) });
    wanted.adds++;
    wanted.grows += size + OVERHEAD;
  }
  wanted.subjects.push(...subjectKeys(rows).map(toColumn));
}

/** Judges works in order. Writes on the logs. */
export function judgeWorks(works: readonly Work[], found: Found, now: number): Answer[] {
  return works.map((work) => judge(work, found, now));
}

function judge(work: Work, found: Found, now: number): Answer {
  switch (work.kind) {
    case 'create':
      return create(work, found, now);
    case 'append': {
      const missing = (): Outcome => ({ kind: 'refused', why: 'missing' });
      return found.logs.get(work.transaction)?.append(work, now) ?? work.rows.map(missing);
    }
    case 'lease':
      return found.logs.get(work.transaction)?.lease(work, now) ?? null;
    case 'saveLease':
      found.logs.get(work.transaction)?.saveLease(work);
      return undefined;
    // Written by statements of their own.
    case 'compact':
    case 'revoke':
      return undefined;
  }
}

function create(work: CreateWork, { epoch, logs, made, known }: Found, now: number): Creation {
  const { transaction, starter, referenceId, row } = work;
  const key = referenceKey(starter, referenceId);
  const log = logs.get(transaction);
  if (log !== undefined && made.get(key) === transaction) {
    // Of two in one group that are equal, the first one has made it.
    made.delete(key);
    log.members.push(starter);
    const [outcome] = log.append({ rows: [row], fence: undefined }, now);
    return { kind: 'created', epoch, outcome: outcome as Outcome };
  }
  const record = known.get(key);
  return record === undefined ? { kind: 'taken' } : { kind: 'known', epoch, ...record };
}
