// Runs a transaction's tool: a cursor over the log that turns each person's message into one turn, one after another,
// while this node holds the lease; and what it takes over from another node. What a tool throws, or how long it takes,
// costs its own turn only. Spec: §4.

import type { Entry, Lease, Pending, Timer } from '@haip/protocol';
import { Answering } from './answering.ts';
import { closeOpen } from './closing.ts';
import type { ServerContext } from './context.ts';
import { failed, interrupted, Stopped } from './ending.ts';
import { LeaseHold } from './lease-hold.ts';
import type { Follower, LiveLog, LogStretch } from './live-log.ts';
import type { LoggedEntry } from './logged-entry.ts';
import { isStale, Pen } from './pen.ts';
import { lostAsks, readSpoken } from './takeover.ts';
import { type AnyTool, answers } from './toolbox.ts';

/** How long after the store failed it is asked again. */
const RETRY_MS = 1_000;
export class Agent implements Follower {
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #tool: AnyTool;
  readonly #holder: string;
  readonly #lease: LeaseHold;
  readonly #answering: Answering;
  #cursor: number | undefined;
  /** The fence since which nothing that others left is open. */
  #tidySince: number | undefined;
  /** Messages above the cursor whose turn said something under another fence: it is not begun again. */
  #spoken: ReadonlySet<string> = new Set();
  #retry: Timer | undefined;
  #epoch: string;
  #running = false;
  /** The user whose other turns must end before the next message gets its own. */
  #waitsFor: string | undefined;
  #closed = false;
  /** The lease being let go. */
  #leaving: Pending = undefined;
  /** Called when there is nothing left to answer. */
  idle: () => void = () => {};
  /** Called when somebody waits for an answer that this node will not give. */
  unanswered: () => void = () => {};

  /** @param holder names this node as the lease's holder, and is the session its entries carry. */
  constructor(context: ServerContext, log: LiveLog, tool: AnyTool, holder: string) {
    this.#context = context;
    this.#log = log;
    this.#tool = tool;
    this.#holder = holder;
    this.#epoch = log.epoch;
    this.#lease = new LeaseHold(context, log.transaction, holder, () =>
      this.#answering.halt(new Stopped('another node answers this transaction now', interrupted)),
    );
    this.#answering = new Answering(context, log, tool, holder, this.#lease);
  }

  get position(): number {
    return this.#cursor ?? 0;
  }

  get busy(): boolean {
    return this.#running || this.#waitsFor !== undefined;
  }

  wake(): void {
    this.#answering.look();
    if (this.#closed) return this.#lookForAsks();
    if (this.#running || (this.#waitsFor !== undefined && !this.#log.state.ended)) return;
    // What another node has done may be ahead of what this one has read.
    const isUpToDate = this.#cursor !== undefined && this.#cursor >= this.#log.last && this.#epoch === this.#log.epoch;
    if (isUpToDate && this.#isTidy(this.#lease.fence)) return;
    this.#running = true;
    void this.#run();
  }

  /** Another node let go of what this one waits for. */
  leaseIsFree(): void {
    if (this.#retry === undefined || this.#closed) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.wake();
  }

  /** Begins no more turns. The one that goes on may end; then another node may have the lease. */
  retire(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answering.retire();
    this.#retry?.cancel();
    this.#stopWaiting();
    if (!this.#running) this.#leaving = this.#lease.release();
    this.#lookForAsks();
  }

  /** Stops the turn that goes on, if there is one. Done, or resolves, when the lease was let go. */
  close(): Pending {
    this.retire();
    this.#answering.close();
    return this.#leaving;
  }

  #lookForAsks(): void {
    const waiting = this.#log.state.asks?.length ?? 0;
    // The one that is being answered still is.
    if (waiting > (this.#running ? 1 : 0)) this.unanswered();
  }

  /** Another node answers, until its lease could have lapsed; or the store failed, for a moment. */
  #wakeLater(delayMs: number): void {
    if (this.#closed) return;
    this.#retry ??= this.#context.clock.timer(delayMs, () => {
      this.#retry = undefined;
      this.wake();
    });
  }

  readonly #wakeForRoom = (): void => {
    this.#waitsFor = undefined;
    this.wake();
  };

  #stopWaiting(): void {
    if (this.#waitsFor !== undefined) this.#context.slots.forget(this.#waitsFor, this.#wakeForRoom);
    this.#waitsFor = undefined;
  }

  /** Goes on until there is nothing left to do. Most messages are answered without waiting for anything. */
  #run(): Pending {
    this.#stopWaiting();
    try {
      while (this.#mayGoOn) {
        const more = this.#step();
        if (more instanceof Promise) return this.#runLate(more);
        if (!more) break;
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#rest();
  }

  async #runLate(step: Promise<boolean>): Promise<void> {
    try {
      let more = await step;
      while (more && this.#mayGoOn) more = await this.#step();
    } catch (error) {
      this.#failed(error);
    }
    this.#rest();
  }

  get #mayGoOn(): boolean {
    return !this.#closed && this.#waitsFor === undefined;
  }

  #failed(error: unknown): void {
    this.#context.log('error', 'agent stopped', { transaction: this.#log.transaction, error });
    if (isStale(error)) this.#lease.drop();
    this.#wakeLater(RETRY_MS);
  }

  #rest(): void {
    this.#running = false;
    this.#log.forget();
    if (this.#closed) this.#leaving = this.#lease.release();
    // What came between the last look and here woke nobody.
    else if (this.#retry === undefined) this.wake();
    this.idle();
  }

  /** One stretch of the log. False when there is nothing more to do. */
  #step(): boolean | Promise<boolean> {
    const held = this.#lease.take();
    return held instanceof Promise ? held.then((late) => this.#stepUnder(late)) : this.#stepUnder(held);
  }

  #stepUnder(lease: Lease | undefined): boolean | Promise<boolean> {
    if (lease === undefined) {
      this.#standBy();
      return false;
    }
    if (this.#epoch !== this.#log.epoch) {
      this.#beginEpoch();
      return true;
    }
    // Another node may have answered since this one last looked.
    this.#moveTo(Math.max(this.position, lease.record.done));
    if (!this.#isTidy(lease.fence)) return this.#takeOver(lease);
    if (this.position >= this.#log.last) return false;
    const read = this.#log.after(this.position);
    if (read instanceof Promise) return read.then((stretch) => this.#answerStretch(stretch, lease));
    return this.#answerStretch(read, lease);
  }

  #answerStretch(stretch: LogStretch, lease: Lease): boolean | Promise<boolean> {
    if (stretch.epoch !== this.#epoch) {
      // What the log says of itself is out of date: else this would ask and ask.
      const reading = this.#log.refresh();
      return reading ? reading.then(() => true) : true;
    }
    const lost = this.#tellOfLost(stretch, lease);
    return lost ? lost.then(() => this.#answerFrom(0, stretch, lease)) : this.#answerFrom(0, stretch, lease);
  }

  #moveTo(position: number): void {
    this.#cursor = position;
    this.#log.state.answered(position);
  }

  /** Another node answers here. */
  #standBy(): void {
    this.#log.state.asks = undefined;
    this.#wakeLater(this.#context.limits.leaseMs);
  }

  /** Another log has another lease, too. */
  #beginEpoch(): void {
    this.#epoch = this.#log.epoch;
    this.#cursor = 0;
    this.#tidySince = undefined;
    this.#lease.drop();
  }

  #isTidy(fence: number | undefined): boolean {
    return this.#tidySince === fence && this.#answering.unclosed === undefined;
  }

  /** Between turns nothing is open: what is was left by who held the lease before, or when the store failed. */
  async #takeOver(lease: Lease): Promise<boolean> {
    const reading = this.#log.refresh();
    if (reading) await reading;
    this.#log.state.asks ??= [];
    this.#spoken = await readSpoken(this.#log, this.position);
    const { unclosed } = this.#answering;
    const ending = unclosed?.fence === lease.fence ? unclosed.ending : interrupted;
    const { maxTextBytes } = this.#context.limits;
    if (!this.#log.state.ended) await closeOpen(this.#log, this.#pen(lease), ending, maxTextBytes);
    this.#answering.unclosed = undefined;
    this.#tidySince = lease.fence;
    return true;
  }

  #pen({ fence }: Lease, answers?: string): Pen {
    return new Pen(this.#context, this.#log, this.#holder, fence, answers);
  }

  /** Says in the log which messages went out of it before the tool saw them. */
  #tellOfLost(stretch: LogStretch, lease: Lease): Pending {
    const lost = lostAsks(this.#log.state.asks, stretch);
    if (lost === undefined) return;
    const { id, from, to } = lost;
    this.#moveTo(to);
    this.#context.log('error', 'trimmed unanswered', { transaction: this.#log.transaction, from, to });
    const pen = this.#pen(lease, id);
    const { type, payload } = failed(`${from} to ${to} went out of the history before the tool saw it`, 'OVERLOADED');
    return pen.write([...pen.runStart(), { type, payload }]);
  }

  /** Answers what wants an answer, while the lease holds. */
  #answerFrom(index: number, stretch: LogStretch, lease: Lease): boolean | Promise<boolean> {
    const { entries, last } = stretch;
    for (let at = index; at < entries.length; at++) {
      const { entry } = entries[at] as LoggedEntry;
      if (entry.position <= this.position) continue;
      // The list grows while a tool takes its time, and may then have a hole.
      if (entry.position > last) break;
      if (this.#isToAnswer(entry)) {
        if (!this.#hasRoom(entry)) return true;
        const pending = this.#answering.answer(entry, lease);
        if (pending) return this.#answerLate(pending, at, stretch, lease);
      }
      if (!this.#movesOn(entry, lease)) return true;
    }
    this.#moveTo(Math.max(this.position, last));
    return true;
  }

  async #answerLate(pending: Promise<void>, index: number, stretch: LogStretch, lease: Lease): Promise<boolean> {
    await pending;
    // Turns that take their time may outlive the lease together, and nobody answers without one.
    const held = this.#lease.take();
    if (held instanceof Promise) await held;
    const { entry } = stretch.entries[index] as LoggedEntry;
    // What the store did not let be closed ends as its own turn did, not as the next one.
    const goesOn = this.#movesOn(entry, lease) && this.#isTidy(lease.fence);
    return goesOn ? this.#answerFrom(index + 1, stretch, lease) : true;
  }

  /** Notes that an entry is done with, unless its turn may not have been this node's any more. */
  #movesOn({ position }: Entry, lease: Lease): boolean {
    if (this.#closed || this.#lease.fence !== lease.fence) return false;
    this.#moveTo(position);
    return true;
  }

  /** The end of the transaction answers whatever still waits in it. */
  #isToAnswer(entry: Entry): boolean {
    if (this.#log.state.ended || !answers(this.#tool, entry)) return false;
    return this.#spoken.size === 0 || !this.#spoken.has(entry.id);
  }

  #hasRoom({ user }: Entry): boolean {
    if (user === null || this.#context.slots.hasRoom(user, this.#wakeForRoom)) return true;
    this.#waitsFor = user;
    return false;
  }
}
