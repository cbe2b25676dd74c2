// Where a log stands, and the front of its window as one JSON value beside that: read in the same moment, it says where
// the window begins now. Spec: §3, §4.

import {
  type LogState,
  mayTrim,
  planTrim,
  type Slot,
  type SubjectState,
  type TrimPlan,
  type WindowLimits,
} from '@haip/history-engine';
import { fromColumn } from './column-text.ts';

/** The columns of the log `l`, named as in a `LogRow`. */
export const logColumns = `l.serial, l.first, l.last, l.messages, l.bytes, l.front_at AS "frontAt", l.last_at AS "lastAt",
  l.tidied_at AS "tidiedAt", l.ended_at AS "endedAt", l.fence, l.holder, l.lease_until AS "leaseUntil",
  l.lease_record AS "leaseRecord"`;

/** SQL for the epoch. A table of one row, but joined PostgreSQL takes it for hundreds until it is analyzed. */
export function epochSql(s: string): string {
  return `(SELECT epoch FROM ${s}.meta)`;
}

/** How many entries of the front are looked at first. */
export const FEW = 16;

/** A subject as {@link subjectColumns} give it. */
export type SubjectColumns = [
  key: string | null,
  owner: string | null,
  state: SubjectState['state'],
  isStream: boolean,
  inner: string | null,
  last: number,
  at: number,
  entries: number,
];

/** An entry of the front: position, time, size, and the stream it is a piece of. */
export type FrontEntry = [position: number, at: number, size: number, ...stream: SubjectColumns];

/** The columns of the subject `s`, in the order in which {@link subjectOf} takes them. */
export const subjectColumns = 's.key, s.owner, s.state, s.is_stream, s.inner_key, s.last, s.at, s.entries';

/**
 * SQL for one row by its whole key. The limit keeps it a look-up by index whatever the planner makes of the statistics:
 * joined plainly it may read all there are of a log.
 */
export function oneOf(table: string, conditions: string): string {
  return `LATERAL (SELECT * FROM ${table} WHERE ${conditions} LIMIT 1)`;
}

/** SQL for the front of the log `l`, up to so many entries. */
export function frontSql(s: string, limit: string): string {
  return `(SELECT coalesce(json_agg(json_build_array(e.position, e.at, e.size, ${subjectColumns}) ORDER BY e.position), '[]')
    FROM (SELECT position, at, size, stream FROM ${s}.entries
      WHERE serial = l.serial AND position >= l.first ORDER BY position LIMIT ${limit}) e
    LEFT JOIN ${oneOf(`${s}.subjects`, 'serial = l.serial AND key = e.stream')} s ON true)`;
}

export function subjectOf([key, owner, state, isStream, inner, last, at, entries]: SubjectColumns): SubjectState {
  return {
    key: fromColumn(key ?? ''),
    owner: owner === null ? null : fromColumn(owner),
    state,
    isStream,
    inner: inner === null ? null : fromColumn(inner),
    last,
    at,
    entries,
  };
}

/** @param known subjects in hand already, which may have moved on; those found are added. */
export function slotsOf(front: readonly FrontEntry[], known: Map<string, SubjectState>): Slot[] {
  return front.map(([position, at, size, ...stream]) => {
    const [column] = stream;
    if (column === null) return { position, at, size, stream: null };
    const key = fromColumn(column);
    const subject = known.get(key) ?? subjectOf(stream);
    known.set(key, subject);
    return { position, at, size, stream: subject };
  });
}

/**
 * What goes from the window now; null for nothing, `more` when more of the front must be seen.
 *
 * @param front what was read of it; null when it was not looked at.
 * @param few how many entries were asked for.
 */
export function trimOf(
  log: LogState,
  limits: WindowLimits,
  now: number,
  front: readonly FrontEntry[] | null,
  few: number,
): TrimPlan | null | 'more' {
  if (!mayTrim(log, limits, now)) return null;
  if (front === null) return 'more';
  return planTrim(log, limits, now, slotsOf(front, new Map()), front.length < few) ?? 'more';
}
