// The log as a contract. Whoever stores it does the ordering: positions, once-keys, terminals and the lease fence are
// decided where the append is committed, so that several nodes need nothing else between them. Spec: §3, §4.

import type { JsonValue } from '../json.ts';
import type { Backplane } from './backplane.ts';
import type { Pending } from './pending.ts';

/** A message stored in a transaction's log. */
export interface Entry {
  /** 1, 2, 3 … within the transaction and epoch. */
  readonly position: number;
  readonly id: string;
  /** The author's user id; null for the agent and the server. Never sent to clients. */
  readonly user: string | null;
  readonly session: string;
  /** Milliseconds since epoch, for people. */
  readonly ts: number;
  readonly channel: string;
  readonly type: string;
  readonly payload: JsonValue;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
  /** About how many bytes it takes, raw bytes included: said by whoever wrote it, so that nobody encodes it to count. */
  readonly size: number;
  readonly run_id?: string | undefined;
  readonly thread_id?: string | undefined;
  readonly related_id?: string | undefined;
}

/** The run, call or message stream an entry belongs to, and what it does to it. */
export interface Subject {
  /** Unique within the transaction: `message:ID`, `run:ID`, `call:ID`, `approval:ID`. */
  readonly key: string;
  /** `open` begins it, `part` needs it open, `end` closes it. Each has at most one beginning and one end. */
  readonly step: 'open' | 'part' | 'end';
  /** Of an `open`: the key of what it belongs to. It must be open, and its end is the end of this, too. */
  readonly within?: string | undefined;
  /**
   * Whoever opened it: a `part` or `end` with another owner is refused. Absent on the `open`: anybody may go on with
   * it; absent on a `part` or `end`: it goes on with anybody's, as when the server closes what was abandoned.
   */
  readonly owner?: string | undefined;
}

/** What the store said of a draft. */
export type Outcome =
  /** It is in the log now, at this position. */
  | { readonly kind: 'stored'; readonly position: number }
  /** This author used this id before: where it is, and the digest of what is there. */
  | { readonly kind: 'repeat'; readonly position: number; readonly digest: string }
  | {
      readonly kind: 'refused';
      /** `missing`: no such transaction. `lease`: the fence is stale. `ended`: after TRANSACTION_END. `subject`: not open, closed before, or another's. */
      readonly why: 'missing' | 'lease' | 'ended' | 'subject';
    };

/** An entry that wants a position. The store writes its answer into `outcome`. */
export interface Draft extends Omit<Entry, 'position'> {
  /** Digest of the decoded body (type, payload, bytes), compared when the id is used again. */
  readonly digest: string;
  readonly subject?: Subject | undefined;
  outcome?: Outcome | undefined;
}

/** The first and the last position that can be read. An empty log has `first` = 1, `last` = 0. */
export interface Head {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
}

/** A user whose rights ended, and how long ago that was by the store's own clock, in ms. */
export interface Revoked {
  readonly user: string;
  readonly agoMs: number;
}

/** Where several logs stand, and whose rights ended since a place. */
export interface Heads {
  /** In the order that was asked; null for a transaction not known. */
  readonly heads: readonly (Head | null)[];
  /** The users revoked since then, in the order in which they were; all there are for the place of a store that was lost. */
  readonly revoked: readonly Revoked[];
  /** Give this as `since` next time. */
  readonly place: string;
}

/**
 * One moment of a log. A position between `first` and the last one returned that is not among the entries was
 * compacted, and nothing else; one below `first` was trimmed.
 */
export interface HistoryPage extends Head {
  readonly entries: readonly Entry[];
}

/** Inclusive positions, with caps on what one read may bring. */
export interface HistoryRange {
  readonly from: number;
  readonly to?: number | undefined;
  /** Most entries in the answer. Default 200. */
  readonly maxEntries?: number | undefined;
  /** The answer ends after the entry that reaches this many bytes. Default 524,288. */
  readonly maxBytes?: number | undefined;
}

/** What outlives a transaction's messages. */
export interface TransactionRecord {
  readonly transaction: string;
  /** User id of the starter. */
  readonly starter: string;
  readonly tool: string;
  readonly params: JsonValue;
  /** The id the starter's client gave it; unique for the user. */
  readonly referenceId: string;
  readonly createdAt: number;
  readonly title?: string | undefined;
  readonly endedAt?: number | undefined;
}

/** The right to run a transaction's agent. Appends that carry its fence are refused once another holds it. */
export interface Lease {
  readonly fence: number;
  readonly record: LeaseRecord;
}

/** What only the lease's holder writes. It is of one epoch: a store that loses a log loses its lease with it. */
export interface LeaseRecord {
  /** The position up to which every message's turn has ended, silently or not. */
  readonly done: number;
  /** The message whose turn was begun and not noted as ended: its position, or 0. */
  readonly begun: number;
  /** How many times that turn was begun. */
  readonly tries: number;
}

export interface TransactionPage {
  /** Newest first. */
  readonly transactions: readonly TransactionRecord[];
  /** Give this as `after` to get the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** What a store can do, as data; one compliance suite reads it. */
export interface HistorySupports {
  /** What was stored survives the process. */
  readonly durable: boolean;
  /** Several processes may use the same log. */
  readonly shared: boolean;
}

/**
 * The log of every transaction. Positions are dense; append order is commit order; an entry is visible only when all
 * before it are. Rejections mean the outcome is unknown: the caller tries again with the same drafts, never "again".
 * `windowSize` and `windowTime` are the store's options: how much of each log is kept.
 */
export interface HistoryStore extends Backplane {
  readonly supports: HistorySupports;

  /**
   * Creates a transaction with `first` as entry 1, in one step. For a reference id its user has used before, it
   * changes nothing and gives the record that is there.
   */
  create(record: TransactionRecord, first: Draft): CreatedTransaction | Promise<CreatedTransaction>;

  /** The record, or null for a transaction not known. */
  get(transaction: string): TransactionRecord | null | Promise<TransactionRecord | null>;

  /** The transactions a user started, or joined (a TRANSACTION_JOIN entry of theirs), newest first, at most 50 a page. */
  list(user: string, after?: string): TransactionPage | Promise<TransactionPage>;

  /**
   * Appends the drafts in order, in one step, and writes each one's `outcome`: *repeat* when its author (user + id)
   * used that id before; else *refused* for a stale fence, after TRANSACTION_END, or for a subject not open; else
   * *stored*. One draft's outcome does not change another's.
   */
  append(transaction: string, drafts: readonly Draft[], fence?: number): Pending;

  /** Where an author's message is, or null when the id is free. */
  find(
    transaction: string,
    user: string,
    id: string,
  ): { position: number; digest: string } | null | Promise<{ position: number; digest: string } | null>;

  /** A page of one moment. Null for a transaction not known. A range before `first` gives what is left of it. */
  read(transaction: string, range: HistoryRange): HistoryPage | null | Promise<HistoryPage | null>;

  head(transaction: string): Head | null | Promise<Head | null>;

  /**
   * The heads of several transactions at once, and the users revoked since `since`, the `place` of an earlier answer;
   * without one, nobody. For whoever shares the store and may have missed a hint.
   */
  heads(transactions: readonly string[], since?: string): Heads | Promise<Heads>;

  /** Tells all that share the store that a user's rights have ended: by a hint at once, by {@link heads} for an hour. */
  revoke(user: string): Pending;

  /**
   * Deletes the MESSAGE_START and MESSAGE_PART entries of a message that has its MESSAGE_END with the whole text.
   * Positions stay used; `first` and `last` do not change.
   */
  compact(transaction: string, message: StreamExtent): Pending;

  /**
   * Takes or renews the right to run the agent for `ttlMs`; null while another holds it. With 0 its holder lets it go:
   * the next one who asks has it at once, under a higher fence.
   */
  lease(transaction: string, holder: string, ttlMs: number): Lease | null | Promise<Lease | null>;

  /** Writes the lease's record. Does nothing when the fence is stale. */
  saveLease(transaction: string, fence: number, record: LeaseRecord): Pending;

  /**
   * Calls `changed` when others appended to a transaction, `revoked` when others revoked a user. Hints: they may come
   * late, twice or never. Gives the way to stop.
   */
  watch(changed: (transaction: string) => void, revoked?: (user: string) => void): () => void;

  /** Ends the store after what was begun. Everything later rejects. */
  close(): Pending;
}

/** A message stream in the log: where it began and where it ended. */
export interface StreamExtent {
  readonly messageId: string;
  readonly start: number;
  readonly end: number;
}

export interface CreatedTransaction {
  readonly record: TransactionRecord;
  readonly epoch: string;
  /** False when the reference id was known. */
  readonly created: boolean;
}
