// A cursor of one connection over one log. Woken by notices, it reads on until it finds nothing, a window is shut or the
// link asks for patience; then the cursor stands still and nothing is queued for it. Never writes to the log. Spec: §4.

import type { Fault, FlowWindow, Frame, Pending, SendWindows } from '@haip/protocol';
import type { Listener } from './audience.ts';
import type { Delivery, Standing } from './delivery.ts';
import type { Follower, LiveLog, LogStretch } from './live-log.ts';
import { type EntryFrame, type LoggedEntry, sizeOf } from './logged-entry.ts';
import { adjacentParts, mergedFrame } from './merged-parts.ts';
import type { Outbound } from './outbound.ts';

/** What a reader asks of the connection it reads for. */
export interface ReaderOwner {
  readonly userId: string;
  /** Largest text the peer is sent. */
  readonly maxTextBytes: number;
  /** Whether the user may read on; looked at before each page. Undefined: yes. */
  readingRefused(): Fault | undefined;
  /** Whether this connection's append of that message is under way, so that whose it is will show only then. */
  isUnderWay(id: string): boolean;
  /** Whether the entry was stored by an envelope of this connection. Asked once for each entry. */
  takeOwn(position: number): boolean;
  /** The highest position that this connection was told it has stored; 0 without one. */
  readonly lastOwn: number;
  /** Entries below that position will not be asked about any more: they were trimmed, or went with their log. */
  forgetOwn(below: number): void;
  /** Told when the reader stopped for good, with why the log could not be read. */
  failed(error: unknown): void;
}

export class Reader implements Follower, Listener, Standing {
  readonly log: LiveLog;
  readonly #outbound: Outbound;
  readonly #delivery: Delivery;
  readonly #owner: ReaderOwner;
  #epoch: string;
  /** The last position passed. */
  #cursor: number;
  /** The last position the peer was told of, by an entry, a receipt or a notice. */
  #told: number;
  #wholeSince: number;
  #waiting = false;
  #closed = false;
  #pending: Promise<void> | undefined;
  readonly #windows: SendWindows | undefined;
  /** The window of the entry at the cursor. */
  #window: FlowWindow | undefined;
  /** The window that the entry behind the cursor waits for. */
  #shut: FlowWindow | undefined;

  /**
   * @param position the reader begins after it
   * @param windows what the peer allows; absent: all
   */
  constructor(
    log: LiveLog,
    outbound: Outbound,
    delivery: Delivery,
    owner: ReaderOwner,
    position: number,
    windows?: SendWindows,
  ) {
    this.log = log;
    this.#outbound = outbound;
    this.#delivery = delivery;
    this.#owner = owner;
    this.#epoch = log.epoch;
    this.#cursor = position;
    this.#told = position;
    this.#wholeSince = position;
    this.#windows = windows;
  }

  get user(): string {
    return this.#owner.userId;
  }

  /** How far the peer has been sent, or told that there is nothing for it. */
  get position(): number {
    return this.#told;
  }

  /** Whether nothing more will come. */
  get isThrough(): boolean {
    return this.log.state.ended && this.#told >= this.log.last;
  }

  /** The epoch that its place is in. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Begins to follow the log, from the reader's place. */
  open(): void {
    this.log.follow(this);
    this.log.audience.join(this);
    this.wake();
  }

  close(): void {
    this.#closed = true;
    this.log.unfollow(this);
    this.log.audience.leave(this);
  }

  wake(): void {
    if (this.#waiting || this.#closed || this.#isShut()) return;
    try {
      this.#read();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whether the next entry still waits for its window. What was trimmed, or lost with its log, waits no more. */
  #isShut(): boolean {
    if (this.#shut === undefined) return false;
    const { log } = this;
    if (!this.#shut.isOpen && log.epoch === this.#epoch && log.first <= this.#cursor + 1) return true;
    this.#shut = undefined;
    return false;
  }

  #read(): void {
    while (!this.#closed && (this.#cursor < this.log.last || this.#epoch !== this.log.epoch)) {
      if (this.#owner.readingRefused() !== undefined) return;
      const stretch = this.log.after(this.#cursor);
      if (stretch instanceof Promise) {
        this.#wait(stretch.then((late) => this.#pass(late)));
        return;
      }
      const [before, epoch] = [this.#cursor, this.#epoch];
      const pending = this.#pass(stretch);
      if (pending) {
        this.#wait(pending);
        return;
      }
      if (this.#shut || (this.#cursor === before && this.#epoch === epoch)) return;
    }
  }

  #wait(pending: Promise<void>): void {
    this.#waiting = true;
    pending.then(
      () => {
        this.#waiting = false;
        this.wake();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.close();
    this.#owner.failed(error);
  }

  /** Sends a stretch until a window is shut, or the link asks for patience; gives that promise. */
  #pass(stretch: LogStretch): Pending {
    if (this.#closed) return;
    this.#pending = undefined;
    if (stretch.epoch !== this.log.epoch) {
      // Nobody goes on in another epoch before the log has begun it: that wakes this reader again.
      this.log.changed();
      return;
    }
    if (stretch.epoch !== this.#epoch) {
      // What was read belongs to a place in the old log: read again, from the beginning of the new one.
      this.#tellGap(stretch);
      return;
    }
    if (this.#cursor + 1 < stretch.first) this.#tellGap(stretch);
    this.#deliver(stretch.entries);
    this.#tellPosition(this.#cursor);
    this.log.audience.moved();
    return this.#pending;
  }

  #deliver(entries: readonly LoggedEntry[]): void {
    for (let at = 0; at < entries.length; at++) {
      const logged = entries[at] as LoggedEntry;
      const { position, id } = logged.entry;
      if (position <= this.#cursor) continue;
      if (this.#owner.isUnderWay(id)) break;
      if (position > this.#cursor + 1) this.#wholeSince = position - 1;
      const own = this.#owner.takeOwn(position);
      if (!this.#mayGo(logged, own)) break;
      const parts = own ? 1 : this.#mergeable(entries, at);
      if (parts > 1) {
        this.#giveMerged(entries.slice(at, at + parts));
        at += parts - 1;
      } else {
        this.#cursor = position;
        if (!this.#delivery.deliver(logged, own, this)) this.#wholeSince = position;
      }
      if (this.#pending || this.#closed) break;
    }
  }

  /** How many entries from `at` on can be one frame. What this session wrote may yet turn out to be its own. */
  #mergeable(entries: readonly LoggedEntry[], at: number): number {
    const { entry } = entries[at] as LoggedEntry;
    if (entry.type !== 'MESSAGE_PART' || entry.session === this.#outbound.session) return 1;
    return this.#delivery.mergesParts ? adjacentParts(entries, at, this.#owner.maxTextBytes) : 1;
  }

  #giveMerged(parts: readonly LoggedEntry[]): void {
    const frame = mergedFrame(this.log.transaction, parts);
    this.#tellPosition((parts[0] as LoggedEntry).entry.position - 1);
    this.#cursor = (parts.at(-1) as LoggedEntry).entry.position;
    this.#told = this.#cursor;
    this.#window?.spend(sizeOf(frame));
    this.#send(frame);
  }

  /** Whether the entry's window lets it go. One that must wait makes those behind it wait. An own one is a long END: so it stays. */
  #mayGo(logged: LoggedEntry, own: boolean): boolean {
    if (this.#windows === undefined) return true;
    this.#window = this.#windows.of(logged.entry.channel);
    if (this.#window.isOpen || !this.#delivery.needsWindow(logged, own, this.#wholeSince)) return true;
    this.#shut = this.#window;
    return false;
  }

  get wholeSince(): number {
    return this.#wholeSince;
  }

  /** Sends a frame of the entry at the cursor, after a notice of what was stepped over before it. */
  give(frame: EntryFrame): void {
    this.#window?.spend(sizeOf(frame));
    this.tell(frame);
  }

  /** The same for what needs no window. */
  tell(frame: Frame): void {
    this.#tellPosition(this.#cursor - 1);
    this.#told = this.#cursor;
    this.#send(frame);
  }

  #send(frame: Frame): void {
    const pending = this.#outbound.send(frame);
    if (pending) this.#pending = pending;
  }

  /** Covers positions that were stepped over, so that the peer's own count has no hole. */
  #tellPosition(position: number): void {
    if (this.#told >= position) return;
    if (this.#delivery.notices) {
      const { transaction } = this.log;
      const fromSeq = String(this.#told + 1);
      const seq = String(position);
      this.#send(this.#outbound.frame({ type: 'INFO', transaction, payload: { kind: 'position' }, fromSeq, seq }));
    }
    this.#told = position;
  }

  /** The cursor fell off the window, or the log is another one: the unasked verdict. */
  #tellGap({ epoch, first, last }: LogStretch): void {
    this.#owner.forgetOwn(epoch === this.#epoch ? first : Number.POSITIVE_INFINITY);
    if (this.#delivery.notices) {
      // What was settled may be newer than what was read.
      const known = Math.max(last, this.log.last, this.#owner.lastOwn);
      const payload = { verdict: 'gap', epoch, first: String(first), last: String(known) };
      this.#outbound.say({ type: 'TRANSACTION_JOIN', transaction: this.log.transaction, payload });
    }
    this.#epoch = epoch;
    this.#cursor = first - 1;
    this.#told = first - 1;
    this.#wholeSince = first - 1;
  }
}
