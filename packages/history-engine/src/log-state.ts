// What a store knows of a log beside its entries, as it lies in a row: enough to judge a draft and to trim the window
// without looking at the log. Numbers and texts only. Spec: §3, §4.

/** Where a log stands. */
export interface LogState {
  /** The first position that can be read; everything below was trimmed. */
  first: number;
  last: number;
  /** Messages in the window; all entries of a streamed one are one. */
  messages: number;
  /** About how many bytes the window takes. */
  bytes: number;
  /** By time nothing goes before this + windowTime. Null while the window is empty. */
  frontAt: number | null;
  /** When the newest entry came, in ms of the store's time. */
  lastAt: number;
  /** The `ts` of the TRANSACTION_END. */
  endedAt: number | null;
  /** Of the lease; 0 before the first one. */
  fence: number;
}

/** A log as it lies in a row: where it stands, who may run its agent, and when it was looked after. */
export interface LogRow extends LogState {
  /** Its number in the database, in the order in which logs were created. */
  readonly serial: number;
  /** When ids and subjects of it were forgotten last, in ms of the store's time. */
  tidiedAt: number;
  holder: string | null;
  /** In ms of the store's time. */
  leaseUntil: number;
  /** What only the holder writes, as JSON text. */
  leaseRecord: string | null;
}

/** A run, call, approval or message stream of a log. */
export interface SubjectState {
  readonly key: string;
  /** Who may go on with it; null for anybody. */
  readonly owner: string | null;
  /** Of a stream: `whole` when its END has all the text, `torn` when only all its entries together tell it. */
  state: 'open' | 'ended' | 'whole' | 'torn';
  readonly isStream: boolean;
  /** The key of what belongs to it and ends with it: one thing at most. */
  inner: string | null;
  /** Position of its newest entry. */
  last: number;
  /** When that came, in ms of the store's time. */
  at: number;
  /** Of a stream: how many of its entries are in the window. */
  entries: number;
}

/** What an entry takes besides its own size. Else tiny parts would be free. */
export const OVERHEAD = 200;

/** An empty log. */
export function emptyLog(): LogState {
  return { first: 1, last: 0, messages: 0, bytes: 0, frontAt: null, lastAt: 0, endedAt: null, fence: 0 };
}
