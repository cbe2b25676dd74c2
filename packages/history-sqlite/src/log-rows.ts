// Where each log stands, its subjects and the front of its window, as rows. Only reads. Spec: §3, §4.

import type { DatabaseSync } from 'node:sqlite';
import {
  type LogRow,
  mayTrim,
  planTrim,
  type Slot,
  type SubjectState,
  type TrimPlan,
  type WindowLimits,
} from '@haip/history-engine';

interface SlotRow {
  readonly position: number;
  readonly at: number;
  readonly size: number;
  readonly stream: string | null;
}

const logColumns = `l.serial, first, last, messages, bytes, front_at AS frontAt, last_at AS lastAt, tidied_at AS tidiedAt,
  ended_at AS endedAt, fence, holder, lease_until AS leaseUntil, lease_record AS leaseRecord`;

/** How many entries of the front are looked at first, when there is something to trim. */
const FEW = 16;

export class LogRows {
  readonly #byId;
  readonly #after;
  readonly #subject;
  readonly #slots;

  constructor(db: DatabaseSync) {
    this.#byId = db.prepare(
      `SELECT ${logColumns} FROM transactions t JOIN logs l ON l.serial = t.serial WHERE t.id = ?`,
    );
    this.#after = db.prepare(`SELECT ${logColumns} FROM logs l WHERE l.serial > ? ORDER BY l.serial LIMIT 1`);
    this.#subject = db.prepare(
      `SELECT key, owner, state, is_stream AS isStream, inner_key AS "inner", last, at, entries
       FROM subjects WHERE serial = ? AND key = ?`,
    );
    this.#slots = db.prepare(
      'SELECT position, at, size, stream FROM entries WHERE serial = ? AND position >= ? ORDER BY position LIMIT ?',
    );
  }

  log(transaction: string): LogRow | undefined {
    return this.#byId.get(transaction) as LogRow | undefined;
  }

  /** The next log in the order in which they were created. */
  logAfter(serial: number): LogRow | undefined {
    return this.#after.get(serial) as LogRow | undefined;
  }

  subject(serial: number, key: string): SubjectState | undefined {
    const row = this.#subject.get(serial, key) as (Omit<SubjectState, 'isStream'> & { isStream: number }) | undefined;
    return row && { ...row, isStream: row.isStream === 1 };
  }

  /** What is to go from the front of the window now; undefined for nothing. */
  trimOf(log: LogRow, limits: WindowLimits, now: number): TrimPlan | undefined {
    if (!mayTrim(log, limits, now)) return undefined;
    for (let limit = FEW; ; limit *= 4) {
      const slots = this.#slotsOf(log, limit);
      const plan = planTrim(log, limits, now, slots, slots.length < limit);
      if (plan !== undefined) return plan;
    }
  }

  #slotsOf({ serial, first }: LogRow, limit: number): Slot[] {
    const streams = new Map<string, SubjectState | null>();
    const streamOf = (key: string): SubjectState | null => {
      let stream = streams.get(key);
      if (stream === undefined) {
        stream = this.subject(serial, key) ?? null;
        streams.set(key, stream);
      }
      return stream;
    };
    const rows = this.#slots.all(serial, first, limit) as unknown as SlotRow[];
    return rows.map(({ stream, ...slot }) => ({ ...slot, stream: stream === null ? null : streamOf(stream) }));
  }
}
