// What a store writes, as data: an engine commits several works in one step. Can be sent to a thread.

import type { LeaseRecord, Outcome } from '@haip/protocol';
import type { DraftRow } from './entry-rows.ts';

export interface AppendWork {
  readonly kind: 'append';
  readonly transaction: string;
  readonly rows: readonly DraftRow[];
  readonly fence: number | undefined;
}

export interface CreateWork {
  readonly kind: 'create';
  readonly transaction: string;
  readonly starter: string;
  readonly referenceId: string;
  /** The record as JSON text. */
  readonly record: string;
  readonly row: DraftRow;
}

export interface CompactWork {
  readonly kind: 'compact';
  readonly transaction: string;
  /** The key of the message's stream. */
  readonly stream: string;
  readonly start: number;
  readonly end: number;
}

export interface LeaseWork {
  readonly kind: 'lease';
  readonly transaction: string;
  readonly holder: string;
  readonly ttlMs: number;
}

export interface SaveLeaseWork {
  readonly kind: 'saveLease';
  readonly transaction: string;
  readonly fence: number;
  /** The lease's record as JSON text. */
  readonly record: string;
}

export interface RevokeWork {
  readonly kind: 'revoke';
  readonly user: string;
}

export type Work = AppendWork | CreateWork | CompactWork | LeaseWork | SaveLeaseWork | RevokeWork;

/** What became of a `create`: made, known by its reference, or its id is another's. */
export type Creation =
  | { readonly kind: 'created'; readonly epoch: string; readonly outcome: Outcome }
  | { readonly kind: 'known'; readonly epoch: string; readonly record: string; readonly endedAt: number | null }
  | { readonly kind: 'taken' };

/** What each kind of work is answered with. A lease's record is JSON text, or null before the first was saved. */
export interface Answers {
  readonly append: readonly Outcome[];
  readonly create: Creation;
  readonly compact: undefined;
  readonly lease: { readonly fence: number; readonly record: string | null } | null;
  readonly saveLease: undefined;
  readonly revoke: undefined;
}

export type Answer = Answers[keyof Answers];

const emptyRecord: LeaseRecord = { done: 0, begun: 0, tries: 0 };

export function leaseRecordOf(record: string | null): LeaseRecord {
  return record === null ? emptyRecord : (JSON.parse(record) as LeaseRecord);
}

/** About how many bytes a work takes on its way. */
export function sizeOfWork(work: Work): number {
  if (work.kind === 'append') return work.rows.reduce((sum, row) => sum + sizeOfRow(row), 0);
  return work.kind === 'create' ? sizeOfRow(work.row) + work.record.length : 0;
}

function sizeOfRow({ body, bytes }: DraftRow): number {
  return body.length + (bytes?.length ?? 0);
}
