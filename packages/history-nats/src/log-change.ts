// What a link says of a log: what was stored, deleted and forgotten, and who holds the lease. Written as one JSON text,
// with the bytes of entries behind it as they are. Decided once, by the node that added the link.

import type { DraftRow, TakenRow } from '@haip/history-engine';
import type { Entry, Subject } from '@haip/protocol';
import type { Said } from './fold.ts';
import { joinTexts, splitText } from './link.ts';

/** What a transaction begins with. */
export interface Beginning {
  /** The record as JSON text. */
  readonly record: string;
  readonly starter: string;
  readonly referenceId: string;
  /** In the order in which transactions were created. */
  readonly serial: number;
}

/** An entry without its position: that follows from those before it. */
type Unplaced = Omit<Entry, 'position' | 'size'>;

/** A draft that was stored. */
export interface StoredDraft extends TakenRow {
  readonly digest: string;
  readonly entry: Unplaced;
}

export type LogOp =
  | { readonly op: 'begin'; readonly beginning: Beginning }
  | { readonly op: 'store'; readonly drafts: readonly StoredDraft[] }
  | { readonly op: 'compact'; readonly stream: string; readonly start: number; readonly end: number }
  | { readonly op: 'lease'; readonly holder: string; readonly fence: number; readonly until: number }
  | { readonly op: 'save'; readonly record: string };

/** What the head of a link says, so that nobody needs the log for it. As it is after the link. */
export interface LogHeading {
  readonly last: number;
  /** When the newest entry came. */
  readonly at: number;
  /** By time nothing goes before this + windowTime; null while the window is empty. */
  readonly front: number | null;
  readonly ended: number | null;
  /** The record's time ran out: the transaction is no more. */
  readonly over?: true | undefined;
}

/** What is let go of before anything is stored. */
export interface LettingGo {
  /** Where the window begins, and its front. */
  readonly trim?: readonly [first: number, front: number | null] | undefined;
  /** Ids and subjects that are older are forgotten. */
  readonly forget?: number | undefined;
}

export interface LogChange {
  readonly ops: readonly LogOp[];
  readonly heading: LogHeading;
  readonly lettingGo: LettingGo | undefined;
}

const steps = ['open', 'part', 'end'] as const;

type WrittenSubject = [key: string, step: number, within: string | null, owner: string | null] | 0;
type WrittenOp = Exclude<LogOp, { op: 'store' }> | { readonly op: 'store'; readonly drafts: readonly WrittenDraft[] };
type WrittenDraft = [digest: string, size: number, subject: WrittenSubject, bytes: number, entry: Unplaced];

export function storedDraft({ digest, size, subject, body, bytes, type, ts, isWhole }: DraftRow): StoredDraft {
  const entry = JSON.parse(body) as { -readonly [Field in keyof Unplaced]: Unplaced[Field] };
  if (bytes !== undefined) entry.bytes = bytes;
  return { digest, size, subject, type, ts, isWhole, entry };
}

/** An op before it is written: drafts as the rows they came as, whose bodies are texts already. */
export type PlannedOp = Exclude<LogOp, { op: 'store' }> | { readonly op: 'store'; readonly rows: readonly DraftRow[] };

/** The ops as bytes. */
export function encodeOps(ops: readonly PlannedOp[]): Uint8Array {
  const bytes: Uint8Array[] = [];
  const texts = ops.map((op) => {
    if (op.op !== 'store') return JSON.stringify(op);
    const drafts = op.rows.map(({ digest, size, subject, body, bytes: own }) => {
      if (own !== undefined) bytes.push(own);
      const first = JSON.stringify([digest, size, subject ? written(subject) : 0, own?.length ?? -1]);
      return `${first.slice(0, -1)},${body}]`;
    });
    return `{"op":"store","drafts":[${drafts.join(',')}]}`;
  });
  return joinTexts(`[${texts.join(',')}]`, ...bytes);
}

export function decodeChange(content: Uint8Array, { heading, aside }: Said): LogChange {
  const { text, rest } = splitText(content);
  let from = 0;
  const take = (length: number): Uint8Array => {
    from += length;
    // A copy: a view would keep all of the message in memory.
    return new Uint8Array(rest.subarray(from - length, from));
  };
  const ops = (JSON.parse(text) as WrittenOp[]).map(
    (op): LogOp => (op.op === 'store' ? { op: 'store', drafts: op.drafts.map((one) => readDraft(one, take)) } : op),
  );
  return { ops, heading: heading as unknown as LogHeading, lettingGo: aside as LettingGo | undefined };
}

function readDraft(
  [digest, size, subject, length, read]: WrittenDraft,
  take: (length: number) => Uint8Array,
): StoredDraft {
  const entry = length < 0 ? read : { ...read, bytes: take(length) };
  const { type, ts, payload } = entry;
  const isWhole = type === 'MESSAGE_END' && typeof (payload as { text?: unknown } | null)?.text === 'string';
  return { digest, size, subject: subject === 0 ? undefined : readSubject(subject), type, ts, isWhole, entry };
}

function written({ key, step, within, owner }: Subject): WrittenSubject {
  return [key, steps.indexOf(step), within ?? null, owner ?? null];
}

function readSubject([key, step, within, owner]: Exclude<WrittenSubject, 0>): Subject {
  return {
    key,
    step: steps[step] ?? 'part',
    ...(within === null ? {} : { within }),
    ...(owner === null ? {} : { owner }),
  };
}
