// One transaction: its record, its window of entries, its once-keys, its open subjects, its lease. Says of each draft
// whether it is stored, a repeat or refused, in the order of the contract. Spec: §3, §4.

import type { Draft, Head, Lease, LeaseRecord, Outcome, TransactionRecord } from '@haip/protocol';
import { EntryWindow, isWholeEnd } from './entry-window.ts';
import { Generations } from './generations.ts';
import { IdTable, type Place } from './id-table.ts';
import type { Limits } from './options.ts';
import { Subjects } from './subjects.ts';

const staleLease: Outcome = { kind: 'refused', why: 'lease' };
const afterEnd: Outcome = { kind: 'refused', why: 'ended' };
const notOpen: Outcome = { kind: 'refused', why: 'subject' };
/** How many of the agent's newest ids are remembered at least: more than any append holds that may be tried again. */
const AGENT_IDS = 1024;
const emptyRecord: LeaseRecord = { done: 0, begun: 0, tries: 0 };

const makeTable = (): IdTable => new IdTable();

function find(keys: Generations<IdTable>, id: string): Place | undefined {
  return keys.young.get(id) ?? keys.old?.get(id);
}

export class TransactionLog {
  record: TransactionRecord;
  readonly epoch: string;
  /** Which of the store's transactions it is, counted from 1. */
  readonly serial: number;
  readonly window: EntryWindow;
  /** The users who started or joined it. */
  readonly members: string[] = [];
  readonly #limits: Limits;
  /** Where each author's messages are, by id. */
  readonly #authors = new Map<string, Generations<IdTable>>();
  /**
   * Where the agent's are. Its ids are its server's own, needed while that server may try again: kept like a user's,
   * the parts of compacted answers would outweigh the log.
   */
  #agents: Generations<IdTable> | undefined;
  readonly #subjects = new Subjects();
  #lastAt = 0;
  #turnedAt = 0;
  #ended = false;
  #lease = { holder: '', fence: 0, until: 0, record: emptyRecord };

  constructor(record: TransactionRecord, epoch: string, serial: number, limits: Limits) {
    this.record = record;
    this.epoch = epoch;
    this.serial = serial;
    this.#limits = limits;
    this.window = new EntryWindow(limits);
  }

  append(draft: Draft, fence: number | undefined, now: number): Outcome {
    const keys = this.#keysOf(draft.user);
    const known = find(keys, draft.id);
    if (known !== undefined) return { kind: 'repeat', position: known.position, digest: known.digest };
    if (fence !== undefined && fence !== this.#lease.fence) return staleLease;
    if (this.#ended) return afterEnd;
    if (draft.subject !== undefined && !this.#subjects.allows(draft.subject)) return notOpen;
    const position = this.window.last + 1;
    this.#store(draft, position, now);
    keys.young.add(draft.id, position, draft.digest);
    if (draft.user === null && keys.young.size >= AGENT_IDS) keys.age();
    return { kind: 'stored', position };
  }

  find(user: string, id: string): { position: number; digest: string } | null {
    const keys = this.#authors.get(user);
    return (keys && find(keys, id)) ?? null;
  }

  head(): Head {
    return { epoch: this.epoch, first: this.window.first, last: this.window.last };
  }

  lease(holder: string, ttlMs: number, now: number): Lease | null {
    const held = this.#lease;
    if (held.holder !== holder) {
      if (held.until > now) return null;
      held.holder = holder;
      held.fence++;
    }
    held.until = now + ttlMs;
    return { fence: held.fence, record: held.record };
  }

  saveLease(fence: number, record: LeaseRecord): void {
    if (fence === this.#lease.fence) this.#lease.record = record;
  }

  /** Lets go of what neither the window nor a retry needs any more. */
  tidy(now: number): void {
    this.window.trim(now);
    // A generation lives for keyTtlMs at least, so most looks at all the authors would be for nothing.
    const { keyTtlMs } = this.#limits;
    if (now - this.#turnedAt < keyTtlMs / 16) return;
    this.#turnedAt = now;
    const before = now - keyTtlMs;
    for (const keys of this.#authors.values()) keys.turn(this.window, before, now);
    this.#subjects.turn(this.window, before, now);
  }

  /** Whether nothing but the record is left and that is old enough to go too. */
  isOver(now: number): boolean {
    return now - this.#lastAt >= this.#limits.recordTtlMs;
  }

  #keysOf(user: string | null): Generations<IdTable> {
    if (user === null) {
      this.#agents ??= new Generations(makeTable);
      return this.#agents;
    }
    let keys = this.#authors.get(user);
    if (keys === undefined) {
      keys = new Generations(makeTable);
      this.#authors.set(user, keys);
    }
    return keys;
  }

  #store(draft: Draft, position: number, at: number): void {
    const { type, subject } = draft;
    const stream = subject && this.#subjects.note(subject, position, type === 'MESSAGE_START');
    if (stream !== undefined && subject?.step === 'end') {
      stream.state = isWholeEnd(type, draft.payload) ? 'whole' : 'torn';
    }
    this.window.push(draft, position, at, stream);
    this.#lastAt = at;
    if (type === 'TRANSACTION_END') {
      this.#ended = true;
      this.#subjects.endAll();
      this.record = { ...this.record, endedAt: draft.ts };
    }
  }
}
