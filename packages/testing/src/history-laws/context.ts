// What a law of history stores is given, and how it speaks of a log: drafts in, outcomes and entries out. Spec: §3, §4.

import {
  bodyDigest,
  type CreatedTransaction,
  type Draft,
  type Entry,
  type Head,
  type HistoryPage,
  type HistoryRange,
  type HistoryStore,
  type HistorySupports,
  type JsonValue,
  type Outcome,
  subjectOf,
  type TransactionRecord,
} from '@haip/protocol';
import { expect } from 'vitest';
import type { FakeClock } from '../fake-clock.ts';

/** What a store under test is created with. It takes its time from `clock` when it supports that. */
export interface StoreOptions {
  readonly windowSize: number;
  readonly windowTime: number;
  readonly clock: FakeClock;
}

/** What a store can do, as data. */
export interface HistoryStoreSupports extends HistorySupports {
  /** It takes its time from the clock it is given, so that laws about time can be shown. */
  readonly clock: boolean;
}

export interface HistoryLawContext {
  readonly clock: FakeClock;
  /** A new store. Default window: 1,000 messages, 1 hour. */
  store(options?: { readonly windowSize?: number; readonly windowTime?: number }): Promise<HistoryStore>;
  /** A second store on the same log, as another process would open it. Only where `shared` is supported. */
  twin(store: HistoryStore): Promise<HistoryStore>;
  /** Closes a store and opens what it held again, as after a restart. Only where `durable` is supported. */
  reopen(store: HistoryStore): Promise<HistoryStore>;
}

export interface HistoryLaw {
  readonly name: string;
  /** Whether the law is meant for such a store. Absent: for all. */
  readonly needs?: (supports: HistoryStoreSupports) => boolean;
  run(context: HistoryLawContext): Promise<void>;
}

export const HOUR = 3_600_000;
let ids = 0;

/** An id nobody had before, in this run or another one that left something in a database. */
export function freshId(prefix = 'id'): string {
  return `${prefix}-${++ids}-${crypto.randomUUID()}`;
}

export type DraftFields = Partial<Omit<Draft, 'digest' | 'outcome'>>;

/** A draft in order: a MESSAGE by the user `ann` unless the fields say otherwise. Its subject and digest follow. */
export function draft(fields: DraftFields = {}): Draft {
  const { type = 'MESSAGE', payload = 'hello', user = 'ann', bytes, run_id } = fields;
  const subject = subjectOf(type, payload, user ?? '', run_id);
  return {
    id: freshId(),
    user,
    session: user === null ? 'agent-session' : `session-of-${user}`,
    ts: 1_755_187_354_681,
    channel: user === null ? 'AGENT' : 'USER',
    type,
    payload,
    size: JSON.stringify(payload).length + (bytes?.length ?? 0),
    digest: bodyDigest(type, payload, bytes),
    ...(subject === undefined ? {} : { subject }),
    ...fields,
  };
}

export function messageStart(messageId: string, fields: DraftFields = {}): Draft {
  return draft({ type: 'MESSAGE_START', payload: { message_id: messageId }, ...fields });
}

export function messagePart(messageId: string, text: string, fields: DraftFields = {}): Draft {
  return draft({ type: 'MESSAGE_PART', payload: { message_id: messageId, text }, ...fields });
}

/** Without a text it is the end of one too long to be in it. */
export function messageEnd(messageId: string, start: number, text?: string, fields: DraftFields = {}): Draft {
  const payload: JsonValue = {
    message_id: messageId,
    start_seq: String(start),
    ...(text === undefined ? {} : { text }),
  };
  return draft({ type: 'MESSAGE_END', payload, ...fields });
}

export function recordOf(fields: Partial<TransactionRecord> = {}): TransactionRecord {
  return {
    transaction: freshId('tx'),
    starter: 'ann',
    tool: 'echo',
    params: {},
    referenceId: freshId('ref'),
    createdAt: 1_755_187_354_681,
    ...fields,
  };
}

export function startOf(record: TransactionRecord): Draft {
  const payload = { toolName: record.tool, params: record.params };
  return draft({ type: 'TRANSACTION_START', channel: 'SYSTEM', user: record.starter, payload });
}

export async function createTransaction(
  store: HistoryStore,
  fields: Partial<TransactionRecord> = {},
): Promise<CreatedTransaction> {
  const record = recordOf(fields);
  return store.create(record, startOf(record));
}

/** One transaction of a store, with the plainest way to ask it things. */
export class Log {
  readonly store: HistoryStore;
  readonly transaction: string;

  constructor(store: HistoryStore, transaction: string) {
    this.store = store;
    this.transaction = transaction;
  }

  static async create(store: HistoryStore, fields: Partial<TransactionRecord> = {}): Promise<Log> {
    const { record } = await createTransaction(store, fields);
    return new Log(store, record.transaction);
  }

  /** Appends, by the one path that fits stores that are done at once and those that are not. */
  async append(drafts: readonly Draft[], fence?: number): Promise<Outcome[]> {
    const pending = this.store.append(this.transaction, drafts, fence);
    if (pending) await pending;
    return drafts.map(({ outcome }) => {
      if (outcome === undefined) throw new Error('append: a draft came back without an outcome');
      return outcome;
    });
  }

  /** Appends one draft, which must be stored. Gives its position. */
  async put(one: Draft): Promise<number> {
    const [outcome] = await this.append([one]);
    expect(outcome).toMatchObject({ kind: 'stored' });
    return outcome?.kind === 'stored' ? outcome.position : Number.NaN;
  }

  async fill(count: number, fields: DraftFields = {}): Promise<number[]> {
    const positions: number[] = [];
    for (let i = 0; i < count; i++) positions.push(await this.put(draft(fields)));
    return positions;
  }

  /** A message written bit by bit, by the agent unless told otherwise. Gives its extent. */
  async stream(parts: readonly string[], fields: DraftFields = { user: null }): Promise<StoredStream> {
    const messageId = freshId('message');
    const start = await this.put(messageStart(messageId, fields));
    for (const part of parts) await this.put(messagePart(messageId, part, fields));
    const end = await this.put(messageEnd(messageId, start, parts.join(''), fields));
    return { messageId, start, end };
  }

  async compact(extent: StoredStream): Promise<void> {
    const pending = this.store.compact(this.transaction, extent);
    if (pending) await pending;
  }

  async head(): Promise<Head> {
    const head = await this.store.head(this.transaction);
    if (head === null) throw new Error('head: the transaction is not known');
    return head;
  }

  async read(range: HistoryRange): Promise<HistoryPage> {
    const page = await this.store.read(this.transaction, range);
    if (page === null) throw new Error('read: the transaction is not known');
    return page;
  }

  /** Everything that is kept, page by page. */
  async all(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let from = 1; ; ) {
      const page = await this.read({ from });
      entries.push(...page.entries);
      const last = page.entries.at(-1);
      if (last === undefined) return entries;
      from = last.position + 1;
    }
  }

  async positions(): Promise<number[]> {
    return (await this.all()).map(({ position }) => position);
  }
}

export interface StoredStream {
  readonly messageId: string;
  readonly start: number;
  readonly end: number;
}

/** `from` … `to`, both included. */
export function span(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

export const refused = (why: string): unknown => ({ kind: 'refused', why });
export const stored = (position: number): unknown => ({ kind: 'stored', position });
