// Says of each draft whether it is stored, a repeat or refused, in the order of the contract, and what that changes.
// Pure: it is given what the store knows and gives what the store is to write. Spec: §3, §6, invariants 3 and 16.

import type { Outcome, Subject } from '@haip/protocol';
import type { DraftRow } from './entry-rows.ts';
import { type LogState, OVERHEAD, type SubjectState } from './log-state.ts';

/** Where a message is and the digest of its body. */
export interface Place {
  readonly position: number;
  readonly digest: string;
}

/** What the store knows that bears on some drafts. Is written on. */
export interface Known {
  /** Once-keys that were used, by {@link onceKey}. */
  readonly keys: Map<string, Place>;
  /** Subjects by key: those of the drafts, those they are within, and the inner ones of these. */
  readonly subjects: Map<string, SubjectState>;
}

/** A draft that is stored, and where. */
export interface StoredRow {
  readonly position: number;
  readonly row: DraftRow;
  /** The key of the stream it is a piece of. */
  readonly stream: string | null;
}

/** What is to be written, beside the log's new state. */
export interface AppendPlan {
  readonly outcomes: readonly Outcome[];
  readonly stored: readonly StoredRow[];
  /** Subjects that are new or changed. */
  readonly subjects: ReadonlySet<SubjectState>;
}

const staleLease: Outcome = { kind: 'refused', why: 'lease' };
const afterEnd: Outcome = { kind: 'refused', why: 'ended' };
const notOpen: Outcome = { kind: 'refused', why: 'subject' };

/** An id has no space in it, so no two pairs give one key. */
export function onceKey(author: string, id: string): string {
  return `${id} ${author}`;
}

/** The keys of the subjects that must be known to judge these drafts; the inner ones of those must be, too. */
export function subjectKeys(rows: readonly DraftRow[]): string[] {
  const keys = rows.flatMap(({ subject }) => (subject ? [subject.key, subject.within ?? subject.key] : []));
  return [...new Set(keys)];
}

/** Judges the drafts in order. Writes on `log` and `known`. */
export function judgeDrafts(
  log: LogState,
  rows: readonly DraftRow[],
  fence: number | undefined,
  known: Known,
  now: number,
): AppendPlan {
  const stored: StoredRow[] = [];
  const changed = new Set<SubjectState>();
  const outcomes = rows.map((row): Outcome => {
    const key = onceKey(row.author, row.id);
    const place = known.keys.get(key);
    if (place !== undefined) return { kind: 'repeat', position: place.position, digest: place.digest };
    if (fence !== undefined && fence !== log.fence) return staleLease;
    if (log.endedAt !== null) return afterEnd;
    if (row.subject !== undefined && !allows(known, row.subject)) return notOpen;
    const stream = takeStored(log, row, known.subjects, now, changed);
    const position = log.last;
    known.keys.set(key, { position, digest: row.digest });
    stored.push({ position, row, stream: stream?.key ?? null });
    return { kind: 'stored', position };
  });
  return { outcomes, stored, subjects: changed };
}

function allows({ subjects }: Known, { key, step, owner, within }: Subject): boolean {
  const subject = subjects.get(key);
  if (step === 'open') {
    return subject === undefined && (within === undefined || subjects.get(within)?.state === 'open');
  }
  if (subject?.state !== 'open') return false;
  return subject.owner === null || owner === undefined || subject.owner === owner;
}

/** What of a stored draft changes the state of its log. */
export type TakenRow = Pick<DraftRow, 'type' | 'ts' | 'size' | 'isWhole' | 'subject'>;

/**
 * Takes a draft that is stored into the log's state, at the position after the last. Judges nothing: it is for those,
 * too, who only learn that it was stored. Gives the stream it is a piece of.
 *
 * @param changed takes the subjects that are new or changed.
 */
export function takeStored(
  log: LogState,
  row: TakenRow,
  subjects: Map<string, SubjectState>,
  now: number,
  changed = new Set<SubjectState>(),
): SubjectState | undefined {
  const position = log.last + 1;
  const subject = row.subject && note(row, row.subject, position, subjects, changed, now);
  const stream = subject?.isStream === true ? subject : undefined;
  if (stream === undefined || stream.entries++ === 0) log.messages++;
  log.last = position;
  log.lastAt = now;
  log.bytes += row.size + OVERHEAD;
  log.frontAt ??= now;
  if (row.type === 'TRANSACTION_END') log.endedAt = row.ts;
  return stream;
}

function note(
  row: TakenRow,
  { key, step, owner, within }: Subject,
  position: number,
  subjects: Map<string, SubjectState>,
  changed: Set<SubjectState>,
  now: number,
): SubjectState {
  const begun = subjects.get(key);
  const subject: SubjectState = begun ?? {
    key,
    owner: owner ?? null,
    state: 'open',
    isStream: row.type === 'MESSAGE_START',
    inner: null,
    last: position,
    at: now,
    entries: 0,
  };
  subjects.set(key, subject);
  changed.add(subject);
  subject.last = position;
  subject.at = now;
  if (step === 'open') {
    const outer = within === undefined ? undefined : subjects.get(within);
    if (outer !== undefined) changed.add(Object.assign(outer, { inner: key }));
  }
  if (step === 'end') {
    end(subject, row.isWhole);
    const inner = subject.inner === null ? undefined : subjects.get(subject.inner);
    if (inner?.state === 'open') {
      end(inner, false);
      changed.add(inner);
    }
  }
  return subject;
}

function end(subject: SubjectState, isWhole: boolean): void {
  subject.state = subject.isStream ? (isWhole ? 'whole' : 'torn') : 'ended';
}
