// One transaction as this node sees it: reads the store's log once for everybody here, keeps what it says so far, and
// wakes the readers. Never sends, never decides an append. Spec: §4.

import type { Draft, Head, HistoryPage, Pending, StreamExtent, Timer, TransactionRecord } from '@haip/protocol';
import { Audience } from './audience.ts';
import type { KnownUser } from './authentication.ts';
import type { ServerContext } from './context.ts';
import { IdleStreams } from './idle-streams.ts';
import { LogState } from './log-state.ts';
import { LoggedEntry } from './logged-entry.ts';
import { soon } from './soon.ts';
import { Tail } from './tail.ts';
import type { AnyTool } from './toolbox.ts';

/** How long after a read that failed the log is read again. */
const RETRY_MS = 1_000;

/** A cursor that wants to know when there is more to read. */
export interface Follower {
  /** There may be more. Reads on until it finds nothing; must not throw. */
  wake(): void;
  /** The last position it is done with: it will ask for what comes after. */
  readonly position: number;
}

/** A stretch of the log as a follower reads it. */
export interface LogStretch {
  readonly epoch: string;
  /** First position that can be read; one below it was trimmed. */
  readonly first: number;
  /** Everything up to here is covered: positions not among the entries were compacted. */
  readonly last: number;
  readonly entries: readonly LoggedEntry[];
}

export class LiveLog {
  readonly transaction: string;
  readonly record: TransactionRecord;
  readonly state: LogState;
  /** The connections among those who follow. */
  readonly audience = new Audience();
  readonly idle: IdleStreams;
  /** What people talk to here; undefined when this node does not have it. */
  readonly tool: AnyTool | undefined;
  /** Messages on their way into the log, of those that must find nothing being answered. */
  arriving = 0;
  /** Users who wrote here through this node, for the tools. */
  readonly #authors = new Map<string, KnownUser>();
  readonly #context: ServerContext;
  readonly #followers = new Set<Follower>();
  #epoch: string;
  #first: number;
  #last: number;
  #tail: Tail;
  #reading: Promise<void> | undefined;
  #again = false;
  #scheduled = false;
  readonly #storing = new Set<Storing>();
  #retry: Timer | undefined;

  /** Knows nothing of the log yet but where it begins; {@link refresh} reads it. */
  constructor(context: ServerContext, record: TransactionRecord, head: Pick<Head, 'epoch' | 'first'>) {
    this.#context = context;
    this.transaction = record.transaction;
    this.record = record;
    this.tool = context.toolbox.get(record.tool);
    this.#epoch = head.epoch;
    this.#first = head.first;
    this.#last = head.first - 1;
    this.#tail = new Tail(this.#last);
    this.state = new LogState(record.starter, this.tool);
    this.idle = new IdleStreams(context, this);
  }

  /** The user behind an entry, while their connection to this node told of them. */
  author(user: string): KnownUser | undefined {
    return this.#authors.get(user);
  }

  wroteHere(user: KnownUser): void {
    if (this.#authors.get(user.id) !== user) this.#authors.set(user.id, user);
  }

  /** Whether somebody's message is being answered or waits for that, as far as this node knows. */
  get isAnswering(): boolean {
    return this.arriving > 0 || (this.state.asks?.length ?? 0) > 0 || this.state.runs.size > 0;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get first(): number {
    return this.#first;
  }

  /** The last position this node has read. */
  get last(): number {
    return this.#last;
  }

  follow(follower: Follower): void {
    this.#followers.add(follower);
  }

  /** Stops waking a follower. The last one to leave makes the node forget what the store knows anyway. */
  unfollow(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0) return;
    this.#tail.clear();
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** Appends drafts; each one's `outcome` says what became of it. Rejects when the store does: the outcome is unknown. */
  append(drafts: readonly Draft[], fence?: number): Pending {
    const pending = this.#context.history.append(this.transaction, drafts, fence);
    if (pending) return this.#appendLate(drafts, pending);
    this.changed();
  }

  async #appendLate(drafts: readonly Draft[], pending: Promise<void>): Promise<void> {
    this.noteStoring(drafts, pending);
    try {
      await pending;
    } finally {
      // A rejected append may be in the log all the same.
      this.changed();
    }
  }

  /** Drafts are on their way into the store until `done` is settled, whichever connection they came over. */
  noteStoring(drafts: readonly Draft[], done: Promise<unknown>): void {
    const storing = { drafts, done };
    this.#storing.add(storing);
    const over = (): void => void this.#storing.delete(storing);
    done.then(over, over);
  }

  /** Settled once a user's message that is on its way into the store on this node is there, or is not. */
  storing(user: string, id: string): Promise<unknown> | undefined {
    for (const { drafts, done } of this.#storing) {
      if (drafts.some((draft) => draft.id === id && draft.user === user)) return done;
    }
    return undefined;
  }

  /** Deletes the parts of a message that was ended whole. Nothing is lost when that fails. */
  async compact(message: StreamExtent): Promise<void> {
    const { history, log } = this.#context;
    try {
      await history.compact(this.transaction, message);
    } catch (error) {
      log('warn', 'message not compacted', { transaction: this.transaction, message: message.messageId, error });
    }
  }

  /** There may be more in the store. Read once for all that is appended in this turn of the event loop. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(this.#pump);
  }

  readonly #pump = (): void => {
    this.#scheduled = false;
    try {
      this.refresh()?.catch((error: unknown) => this.#readAgain(error));
    } catch (error) {
      this.#readAgain(error);
    }
  };

  /** Nobody may ever tell again of what this read would have found, so it is read again in a while. */
  #readAgain(error: unknown): void {
    const { log, clock } = this.#context;
    log('error', 'log not read', { transaction: this.transaction, error });
    if (this.#followers.size === 0) return;
    this.#retry ??= clock.timer(RETRY_MS, () => {
      this.#retry = undefined;
      this.changed();
    });
  }

  /** Reads on until the store has no more. Done, or resolves, when all that was stored before the call is folded. */
  refresh(): Promise<void> | undefined {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    const late = this.#readAll();
    if (late === undefined) {
      this.#wake();
      return undefined;
    }
    this.#reading = late;
    return late;
  }

  /** Drops what was kept for followers who were behind, once nobody is: nobody will ask for any of it again. */
  forget(): void {
    if (this.#tail.empty) return;
    for (const { position } of this.#followers) if (position < this.#last) return;
    this.#tail.clear();
  }

  /** What follows `position`: at once for a follower that is up to date, else from the store. */
  after(position: number): LogStretch | Promise<LogStretch> {
    const entries = this.#tail.after(position);
    if (entries !== undefined) return { epoch: this.#epoch, first: this.#first, last: this.#last, entries };
    const page = this.#context.history.read(this.transaction, { from: position + 1 });
    return page instanceof Promise ? page.then((late) => this.#stretch(late)) : this.#stretch(page);
  }

  #readNext(): ReturnType<ServerContext['history']['read']> {
    return this.#context.history.read(this.transaction, { from: this.#last + 1 });
  }

  #readAll(): Promise<void> | undefined {
    let page: HistoryPage | null;
    do {
      const next = this.#readNext();
      if (next instanceof Promise) return this.#readLate(next);
      page = next;
    } while (this.#take(page));
    return undefined;
  }

  async #readLate(first: Promise<HistoryPage | null>): Promise<void> {
    try {
      let page = await first;
      while (this.#take(page) || this.#again) {
        this.#again = false;
        this.#wake();
        page = await this.#readNext();
      }
    } finally {
      // In the same step as the last look at `again`: whoever asks from now on starts a read of their own.
      this.#reading = undefined;
      this.#again = false;
      this.#wake();
    }
  }

  /** Folds a page. True when there is more to read: behind it, or from the beginning of another epoch. */
  #take(page: HistoryPage | null): boolean {
    if (page === null) return false;
    if (page.epoch !== this.#epoch) {
      this.#begin(page);
      return true;
    }
    this.#first = page.first;
    if (page.first > this.#last + 1) this.state.skip(this.#last + 1, page.first - 1);
    const covered = lastCovered(page);
    if (covered <= this.#last) return false;
    const fresh: LoggedEntry[] = [];
    for (const entry of page.entries) {
      this.state.fold(entry);
      fresh.push(new LoggedEntry(this.transaction, entry));
    }
    if (this.state.streams.size > 0) this.idle.watch();
    this.#last = covered;
    this.#tail.extend(fresh, covered);
    return covered < page.last;
  }

  /** Another epoch is another log: what was folded of the old one is void. */
  #begin(page: HistoryPage): void {
    this.#epoch = page.epoch;
    this.#first = page.first;
    this.#last = page.first - 1;
    this.#tail = new Tail(this.#last);
    this.state.begin();
  }

  #stretch(page: HistoryPage | null): LogStretch {
    if (page === null) return { epoch: this.#epoch, first: this.#first, last: this.#last, entries: [] };
    const entries = page.entries.map((entry) => new LoggedEntry(this.transaction, entry));
    return { epoch: page.epoch, first: page.first, last: lastCovered(page), entries };
  }

  #wake(): void {
    for (const follower of this.#followers) follower.wake();
    this.forget();
  }
}

interface Storing {
  readonly drafts: readonly Draft[];
  readonly done: Promise<unknown>;
}

/** The last position a page speaks for. A log ends in an entry, never in a compacted position: an END outlives its parts. */
function lastCovered(page: HistoryPage): number {
  return page.entries.at(-1)?.position ?? page.last;
}
