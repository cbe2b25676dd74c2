// A log as folded from its links: enough to judge a draft, trim the window and find an entry, without any entry's content.
// Decides nothing. Spec: §3, §4.

import { emptyLog, type LogState, OVERHEAD, type Place, type SubjectState, takeStored } from '@haip/history-engine';
import type { Entry } from '@haip/protocol';
import type { Fold, FoldKind, Taken } from './fold.ts';
import { type Beginning, decodeChange, type LogChange, type LogOp, type StoredDraft } from './log-change.ts';
import { OnceKeys, type SavedKey } from './once-keys.ts';
import { type Placed, Window } from './window.ts';

/** Who holds the lease, until when, and its record as JSON text. */
export interface LeaseState {
  readonly holder: string;
  readonly until: number;
  readonly record: string | null;
}

/** Takes the entries of a link that was folded: somebody may soon want to read them. */
export type Witness = (link: number, entries: readonly Entry[]) => void;

const free: LeaseState = { holder: '', until: 0, record: null };

interface SavedLog {
  readonly log: LogState;
  readonly beginning: Beginning | undefined;
  readonly lease: LeaseState;
  readonly isOver: boolean;
  readonly tidiedAt: number;
  readonly members: readonly string[];
  readonly keys: readonly (readonly SavedKey[])[];
  readonly subjects: readonly SubjectState[];
  /** The stream is its place among the subjects, or −1. */
  readonly slots: readonly (readonly [position: number, at: number, size: number, stream: number, link: number])[];
}

export class LogFold implements Fold<LogChange> {
  log: LogState = emptyLog();
  beginning: Beginning | undefined;
  lease: LeaseState = free;
  /** The record's time ran out: the transaction is no more. */
  isOver = false;
  /** When ids and subjects were forgotten last. */
  tidiedAt = 0;
  /** The users who started or joined it. */
  readonly members = new Set<string>();
  readonly subjects = new Map<string, SubjectState>();
  readonly #witness: Witness;
  #keys = new OnceKeys();
  #window = new Window();
  /** How many entries of each link are in the window. */
  readonly #live = new Map<number, number>();

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  get window(): Window {
    return this.#window;
  }

  get weight(): number {
    return this.#keys.size + this.subjects.size + this.#window.length + this.members.size;
  }

  /** @param author user id, or `''` for the agent. */
  find(author: string, id: string): Place | undefined {
    return this.#keys.find(author, id);
  }

  /** @throws Error for a change that does not fit: the log was written by other rules. */
  take({ ops, heading, lettingGo = {} }: LogChange, { seq, at }: { readonly seq: number; readonly at: number }): Taken {
    const released: number[] = [];
    if (lettingGo.trim !== undefined) this.#trim(lettingGo.trim, released);
    if (lettingGo.forget !== undefined) this.#forget(lettingGo.forget, at);
    const entries: Entry[] = [];
    for (const op of ops) this.#takeOp(op, at, seq, entries, released);
    if (heading.over) this.isOver = true;
    if (this.log.last !== heading.last) {
      throw new Error(`history: a log says that it ends at ${heading.last}, and it ends at ${this.log.last}`);
    }
    if (entries.length > 0) this.#witness(seq, entries);
    return { holds: this.#live.has(seq), released: released.filter((link) => link !== seq) };
  }

  save(): Uint8Array {
    const subjects = [...this.subjects.values()];
    const places = new Map(subjects.map((subject, i) => [subject, i]));
    const saved: SavedLog = {
      log: this.log,
      beginning: this.beginning,
      lease: this.lease,
      isOver: this.isOver,
      tidiedAt: this.tidiedAt,
      members: [...this.members],
      keys: this.#keys.save(),
      subjects,
      slots: [...this.#window].map(({ position, at, size, stream, link }) => {
        return [position, at, size, stream === null ? -1 : (places.get(stream) ?? -1), link];
      }),
    };
    return Buffer.from(JSON.stringify(saved));
  }

  static kind(witness: Witness): FoldKind<LogChange, LogFold> {
    return {
      empty: () => new LogFold(witness),
      restore: (saved) => LogFold.#restore(JSON.parse(Buffer.from(saved).toString()) as SavedLog, witness),
      read: decodeChange,
    };
  }

  static #restore(saved: SavedLog, witness: Witness): LogFold {
    const fold = new LogFold(witness);
    const { log, beginning, lease, isOver, tidiedAt, members, keys, subjects, slots } = saved;
    Object.assign(fold, { log, beginning, lease, isOver, tidiedAt });
    for (const user of members) fold.members.add(user);
    for (const subject of subjects) fold.subjects.set(subject.key, subject);
    fold.#keys = OnceKeys.restore(keys);
    fold.#window = new Window(
      slots.map(([position, at, size, stream, link]) => ({
        position,
        at,
        size,
        stream: subjects[stream] ?? null,
        link,
      })),
    );
    for (const [, , , , link] of slots) fold.#live.set(link, (fold.#live.get(link) ?? 0) + 1);
    return fold;
  }

  #takeOp(op: LogOp, at: number, seq: number, entries: Entry[], released: number[]): void {
    switch (op.op) {
      case 'begin':
        this.beginning = op.beginning;
        this.members.add(op.beginning.starter);
        return;
      case 'store':
        for (const draft of op.drafts) entries.push(this.#store(draft, at, seq));
        return;
      case 'compact':
        this.#compact(op.stream, op.start, op.end, released);
        return;
      case 'lease':
        this.log = { ...this.log, fence: op.fence };
        this.lease = { ...this.lease, holder: op.holder, until: op.until };
        return;
      case 'save':
        this.lease = { ...this.lease, record: op.record };
    }
  }

  #store(draft: StoredDraft, at: number, link: number): Entry {
    const { size, digest, entry } = draft;
    const stream = takeStored(this.log, draft, this.subjects, at) ?? null;
    const position = this.log.last;
    this.#window.push({ position, at, size, stream, link });
    this.#live.set(link, (this.#live.get(link) ?? 0) + 1);
    this.#keys.add(entry.user ?? '', entry.id, { position, digest, at });
    if (entry.type === 'TRANSACTION_JOIN' && entry.user !== null) this.members.add(entry.user);
    return { ...entry, position, size };
  }

  #trim([first, front]: readonly [number, number | null], released: number[]): void {
    for (const slot of this.#window.dropBelow(first)) {
      const { stream } = slot;
      if (stream === null || --stream.entries === 0) this.log.messages--;
      this.#drop(slot, released);
    }
    this.log.first = first;
    this.log.frontAt = front;
  }

  #compact(key: string, start: number, end: number, released: number[]): void {
    const stream = this.subjects.get(key);
    if (stream === undefined) return;
    for (const slot of this.#window.dropPieces(stream, start, end)) {
      stream.entries--;
      this.#drop(slot, released);
    }
  }

  #drop({ size, link }: Placed, released: number[]): void {
    this.log.bytes -= size + OVERHEAD;
    const left = (this.#live.get(link) ?? 0) - 1;
    if (left > 0) this.#live.set(link, left);
    else {
      this.#live.delete(link);
      released.push(link);
    }
  }

  #forget(before: number, at: number): void {
    const { first } = this.log;
    this.#keys.forget(before, first);
    for (const [key, { at: since, last, entries, state }] of this.subjects) {
      if (since <= before && last < first && entries === 0 && state !== 'open') this.subjects.delete(key);
    }
    this.tidiedAt = at;
  }
}
