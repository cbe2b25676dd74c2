// What one application was handed of one transaction, judged as it is handed over: invariants 6, 7, 8, 12, 17.

import { type ConversationEntry, type ConversationGap, isJsonObject, type JsonValue } from '@haip/protocol';
import type { Stored, StoredLog } from './stored-log.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

export class Reading {
  readonly transaction: string;
  /** Who reads, for the reports. */
  readonly who: string;
  epoch: string;
  /** The last position handed over, or told to be missing. */
  position: number;
  /** Only what began after it was handed over whole. */
  floor: number;
  handed = 0;
  gaps = 0;
  restarts = 0;
  readonly #logs: StoredLogs;
  readonly #verdicts: Verdicts;
  /** It was told to begin at the first position that is kept. */
  #fromFirst: boolean;
  /** It claims to have read what was never there. */
  #isFalse = false;

  /** @param position where it goes on from; undefined: from the first that is kept. */
  constructor(
    parts: { readonly logs: StoredLogs; readonly verdicts: Verdicts },
    who: string,
    transaction: string,
    epoch: string,
    position: number | undefined,
  ) {
    this.#logs = parts.logs;
    this.#verdicts = parts.verdicts;
    this.who = who;
    this.transaction = transaction;
    this.epoch = epoch;
    this.position = position ?? 0;
    this.floor = position ?? 0;
    this.#fromFirst = position === undefined;
  }

  /** The application asked to go on from a place that it made up. */
  pretend(): void {
    this.#isFalse = true;
  }

  /** The epoch that the client names at a moment when it hands something over. */
  within(epoch: string): void {
    if (this.epoch === '') this.epoch = epoch;
    else if (this.epoch !== epoch) this.#bad('12 epoch honesty', `the epoch became ${epoch} without a restart`);
  }

  /** The place that the application keeps, to go on from. Nothing of the log lies between it and what was handed over. */
  leave({ epoch, position }: { readonly epoch: string; readonly position: number }): void {
    if (epoch === '') return;
    this.within(epoch);
    if (position < this.position) this.#bad('8 no duplicate', `the cursor is ${position} after ${this.position}`);
    if (this.log && position <= this.log.last) this.#stepOver(this.log, position);
  }

  get log(): StoredLog | undefined {
    return this.#logs.of(this.transaction, this.epoch);
  }

  /** @param cursor the client's own place, while it hands the entry over: it moves when the listeners have returned. */
  entry(entry: ConversationEntry, cursor: number): void {
    this.handed++;
    const { position } = entry;
    if (cursor >= position) this.#bad('8 no duplicate', `the cursor was ${cursor} before ${position} was handed over`);
    const { log } = this;
    const stored = log?.at(position);
    if (log === undefined || stored === undefined) {
      return this.#bad('6 no invention', `${entry.type} at ${position} was never stored in ${this.epoch}`);
    }
    if (position <= this.position) return this.#bad('8 no duplicate', `${position} after ${this.position}`);
    const merged = mergedFrom(log, this.position, entry);
    const difference = differs(entry, stored, merged !== undefined);
    if (difference)
      this.#bad(difference === 'bytes' ? '17 atomic pairs' : '6 no invention', `${position}: ${difference}`);
    this.#stepOver(log, (merged ?? position) - 1);
    this.position = position;
  }

  /** What lies between two entries was compacted, or trimmed before the reader began. */
  #stepOver(log: StoredLog, to: number): void {
    for (let at = this.position + 1; at <= to; at++) {
      if (log.at(at)?.superfluous) continue;
      if (this.#fromFirst && at < log.first) {
        this.floor = at;
        continue;
      }
      return this.#bad('7 truthful gaps', `${at} ${log.at(at)?.draft.type} is missing after ${this.position}`);
    }
    this.#fromFirst = false;
  }

  gap({ first, last }: ConversationGap): void {
    this.gaps++;
    const { log } = this;
    if (log === undefined) return this.#bad('12 epoch honesty', `a gap in ${this.epoch}, which never was`);
    // Compacted positions before a gap have no notice of their own.
    if (this.#isFalse && last === this.position) {
      // F51: what it claimed to have read is what is missing.
      this.#isFalse = false;
      this.position = first - 1;
      return;
    }
    if (first <= this.position) return this.#bad('7 truthful gaps', `gap ${first}–${last} after ${this.position}`);
    this.#stepOver(log, first - 1);
    if (last >= log.first) {
      this.#bad('7 truthful gaps', `gap ${first}–${last}, but the log begins at ${log.first}`);
    }
    this.position = last;
    this.floor = last;
  }

  restart(epoch: string): void {
    this.restarts++;
    const { logs = [] } = this.#logs.known(this.transaction) ?? {};
    const [from, to] = [this.epoch, epoch].map((name) => logs.findIndex((log) => log.epoch === name)) as [
      number,
      number,
    ];
    this.epoch = epoch;
    if (to <= from) return this.#bad('12 epoch honesty', `a restart into ${epoch}, epoch ${to} after ${from}`);
    this.position = 0;
    this.floor = 0;
    this.#fromFirst = true;
  }

  #bad(invariant: Parameters<Verdicts['violated']>[0], what: string): void {
    this.#verdicts.violated(invariant, `${this.who} in ${this.transaction}: ${what}`);
  }
}

const kept = ['id', 'session', 'ts', 'type'] as const;

/** Where the parts begin whose texts, put together, are what was handed over; undefined for a part as it is stored. */
function mergedFrom(log: StoredLog, after: number, { type, position, payload }: ConversationEntry): number | undefined {
  if (type !== 'MESSAGE_PART' || !isJsonObject(payload)) return undefined;
  let text = '';
  for (let at = position; at > after; at--) {
    const { draft } = log.at(at) as Stored;
    if (draft.type !== type || !isJsonObject(draft.payload)) return undefined;
    if (draft.payload['message_id'] !== payload['message_id']) return undefined;
    text = `${draft.payload['text']}${text}`;
    if (text === payload['text']) return at === position ? undefined : at;
  }
  return undefined;
}

/** How an entry differs from what was stored; undefined when it does not. */
function differs(entry: ConversationEntry, { draft }: Stored, isMerged: boolean): string | undefined {
  for (const field of kept) if (entry[field] !== draft[field]) return `${field} ${entry[field]}, not ${draft[field]}`;
  if (entry.channel !== draft.channel) return `channel ${entry.channel}, not ${draft.channel}`;
  if (!sameBytes(entry.bytes, draft.bytes)) return 'bytes';
  if (!isMerged && !samePayload(entry.type, entry.payload, draft.payload)) return 'payload';
  return undefined;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** The author's own END has neither text nor `start_seq`, a short one no text. */
function samePayload(type: string, given: JsonValue, stored: JsonValue): boolean {
  if (given === stored) return true;
  if (type === 'TRANSACTION_JOIN') return true;
  if (type !== 'MESSAGE_END' || !isJsonObject(given) || !isJsonObject(stored)) return sameJson(given, stored);
  return Object.entries(given).every(([key, value]) => sameJson(value, stored[key]));
}

export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [keysOfA, keysOfB] = [Object.keys(a), Object.keys(b)];
  if (keysOfA.length !== keysOfB.length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keysOfA.every((key) => sameJson((a as never)[key], (b as never)[key]));
}
