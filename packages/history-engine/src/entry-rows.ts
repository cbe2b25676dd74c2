// Entries and records as rows, and back. The body is one JSON text: no id, label or payload ever becomes a name or a
// statement of the database, and no character in them is one that it would refuse. Bytes lie beside it as they are.

import type { Draft, Entry, JsonValue, Subject, TransactionPage, TransactionRecord } from '@haip/protocol';

/** A draft as an engine stores it. Can be sent to a thread. */
export interface DraftRow {
  /** User id, or `""` for the agent: who the id belongs to. */
  readonly author: string;
  readonly id: string;
  readonly digest: string;
  readonly type: string;
  readonly ts: number;
  readonly size: number;
  /** It ends a message and has all its text. */
  readonly isWhole: boolean;
  readonly subject: Subject | undefined;
  readonly body: string;
  readonly bytes: Uint8Array | undefined;
}

/** An entry as it lies in a row. */
export interface EntryRow {
  readonly position: number;
  /** About how many bytes it takes, as its author said. */
  readonly size: number;
  readonly body: string;
  readonly bytes: Uint8Array | null;
}

/** Types only are imported here: a thread that writes should not load all of the protocol for this question. */
function hasText(payload: JsonValue): boolean {
  return typeof (payload as { readonly text?: unknown } | null)?.text === 'string';
}

export function rowOf(draft: Draft): DraftRow {
  const { id, user, session, ts, channel, type, payload, mime, run_id, thread_id, related_id, bytes } = draft;
  const body = { id, user, session, ts, channel, type, payload, mime, run_id, thread_id, related_id };
  return {
    author: user ?? '',
    id,
    digest: draft.digest,
    type,
    ts,
    size: draft.size,
    isWhole: type === 'MESSAGE_END' && hasText(payload),
    subject: draft.subject,
    body: JSON.stringify(body),
    bytes,
  };
}

export function entryOf({ position, size, body, bytes }: EntryRow): Entry {
  const entry = JSON.parse(body) as { -readonly [Field in keyof Entry]: Entry[Field] };
  entry.position = position;
  entry.size = size;
  if (bytes !== null) entry.bytes = bytes;
  return entry;
}

/** @param record what {@link JSON.stringify} made of a record. */
export function recordOf(record: string, endedAt: number | null): TransactionRecord {
  const kept = JSON.parse(record) as TransactionRecord;
  return endedAt === null ? kept : { ...kept, endedAt };
}

/** Transactions on one page of a list. */
export const LIST_PAGE = 50;

/** A page of a list, given the rows from its begin on, newest first, one more than the page takes if there is one. */
export function pageOf(rows: readonly { serial: number; record: string; endedAt: number | null }[]): TransactionPage {
  const transactions = rows.slice(0, LIST_PAGE).map(({ record, endedAt }) => recordOf(record, endedAt));
  const last = rows.length > LIST_PAGE ? rows[LIST_PAGE - 1] : undefined;
  return last === undefined ? { transactions } : { transactions, next: String(last.serial) };
}
