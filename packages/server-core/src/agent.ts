// Runs a transaction's tool: a cursor over the log that turns each person's message into one turn, one after another,
// while this node holds the lease; and what it takes over from another node. What a tool throws, or how long it takes,
// costs its own turn only. Spec: §4.

import type { Entry, Lease, Pending, Timer } from '@haip/protocol';
import { closeOpen } from './closing.ts';
import type { ServerContext } from './context.ts';
import { cancelled, type Ending, failed, finished, interrupted, Stopped } from './ending.ts';
import { LEASE_MS, LeaseHold } from './lease-hold.ts';
import type { Follower, LiveLog, LogStretch } from './live-log.ts';
import { Pen, Refused } from './pen.ts';
import { lostAsks, readSpoken } from './takeover.ts';
import { callTool } from './tool-input.ts';
import { type AnyTool, answers } from './toolbox.ts';
import { settled, ToolTurn } from './turn.ts';
import { TurnWatch } from './turn-watch.ts';

/** How long after the store failed it is asked again. */
const RETRY_MS = 1_000;
/** How often a turn is begun that its server never lives to end. */
const MOST_TRIES = 2;

const noTries = {};
const overtaken = cancelled('a newer message came');
const givenUp = failed(`the tool was begun ${MOST_TRIES} times, and each time its server stopped`);

export class Agent implements Follower {
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #tool: AnyTool;
  readonly #holder: string;
  readonly #lease: LeaseHold;
  readonly #watch: TurnWatch;
  #cursor: number | undefined;
  /** The fence since which nothing that others left is open. */
  #tidySince: number | undefined;
  /** A turn whose end the store did not take. */
  #unclosed: { readonly fence: number; readonly ending: Ending } | undefined;
  /** Messages above the cursor whose turn said something under another fence: it is not begun again. */
  #spoken: ReadonlySet<string> = new Set();
  #turn: ToolTurn | undefined;
  #retry: Timer | undefined;
  #epoch: string;
  #running = false;
  /** The user whose other turns must end before the next message gets its own. */
  #waitsFor: string | undefined;
  #work: Promise<void> | undefined;
  #closed = false;
  /** Called when there is nothing left to answer. */
  idle: () => void = () => {};

  /** @param holder names this node as the lease's holder, and is the session its entries carry. */
  constructor(context: ServerContext, log: LiveLog, tool: AnyTool, holder: string) {
    this.#context = context;
    this.#log = log;
    this.#tool = tool;
    this.#holder = holder;
    this.#epoch = log.epoch;
    this.#lease = new LeaseHold(context, log.transaction, holder, () =>
      this.#turn?.halt(new Stopped('another node answers this transaction now', interrupted)),
    );
    this.#watch = new TurnWatch(context, tool.name, () => this.#renew());
  }

  get position(): number {
    return this.#cursor ?? 0;
  }

  /** Resolves when nothing is being answered any more. */
  get done(): Promise<void> | undefined {
    return this.#work;
  }

  get busy(): boolean {
    return this.#running || this.#waitsFor !== undefined;
  }

  wake(): void {
    this.#turn?.look();
    if (this.#turn && this.#isOvertaken(this.#turn.message))
      this.#turn.halt(new Stopped('a newer message came', overtaken));
    if (this.#running || this.#closed || (this.#waitsFor !== undefined && !this.#log.state.ended)) return;
    const isUpToDate = this.#cursor === this.#log.last && this.#epoch === this.#log.epoch;
    if (isUpToDate && this.#tidySince === this.#lease.fence) return;
    this.#running = true;
    this.#work = this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#watch.close();
    this.#retry?.cancel();
    this.#stopWaiting();
    this.#turn?.halt(new Stopped('the server is closing', failed('the server is closing')));
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

  #renew(): void {
    const fail = (error: unknown): void => this.#context.log('warn', 'lease not renewed', { error });
    try {
      const held = this.#lease.take();
      if (held instanceof Promise) held.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  /** Waits only for what is not there at once: most messages are answered without a pause between. */
  async #run(): Promise<void> {
    this.#stopWaiting();
    try {
      while (!this.#closed && this.#waitsFor === undefined) {
        const held = this.#lease.take();
        const lease = held instanceof Promise ? await held : held;
        if (lease === undefined) return this.#standBy();
        if (this.#epoch !== this.#log.epoch) {
          this.#beginEpoch();
          continue;
        }
        // Another node may have answered since this one last looked.
        this.#moveTo(Math.max(this.position, lease.record.done));
        if (this.#tidySince !== lease.fence) await this.#takeOver(lease);
        if (this.position >= this.#log.last) return;
        const read = this.#log.after(this.position);
        const stretch = read instanceof Promise ? await read : read;
        if (stretch.epoch !== this.#epoch) continue;
        const lost = this.#tellOfLost(stretch, lease);
        if (lost) await lost;
        const whole = await this.#answerAll(stretch, lease);
        if (whole) this.#moveTo(Math.max(this.position, stretch.last));
      }
    } catch (error) {
      this.#context.log('error', 'agent stopped', { transaction: this.#log.transaction, error });
      if (isStale(error)) this.#lease.drop();
      this.#wakeLater(RETRY_MS);
    } finally {
      this.#running = false;
      this.#log.forget();
      this.idle();
    }
  }

  #moveTo(position: number): void {
    this.#cursor = position;
    this.#log.state.answered(position);
  }

  /** Another node answers here. */
  #standBy(): void {
    this.#log.state.asks = undefined;
    this.#wakeLater(LEASE_MS);
  }

  /** Another log has another lease, too. */
  #beginEpoch(): void {
    this.#epoch = this.#log.epoch;
    this.#cursor = 0;
    this.#tidySince = undefined;
    this.#lease.drop();
  }

  /** Between turns nothing is open: what is was left by who held the lease before, or when the store failed. */
  async #takeOver(lease: Lease): Promise<void> {
    const reading = this.#log.refresh();
    if (reading) await reading;
    this.#log.state.asks ??= [];
    this.#spoken = await readSpoken(this.#log, this.position);
    const ending = this.#unclosed?.fence === lease.fence ? this.#unclosed.ending : interrupted;
    if (!this.#log.state.ended) await closeOpen(this.#context, this.#log, this.#pen(lease), ending);
    this.#unclosed = undefined;
    this.#tidySince = lease.fence;
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

  /** Answers what wants an answer, while the lease holds. False when it stopped before the end. */
  async #answerAll({ entries, last }: LogStretch, lease: Lease): Promise<boolean> {
    for (const { entry } of entries) {
      if (entry.position <= this.position) continue;
      // The list grows while a tool takes its time, and may then have a hole.
      if (entry.position > last) break;
      if (this.#isToAnswer(entry)) {
        if (!this.#hasRoom(entry)) return false;
        const pending = this.#answer(entry, lease);
        if (pending) await pending;
      }
      if (this.#closed || this.#lease.fence !== lease.fence) return false;
      this.#moveTo(entry.position);
    }
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

  #answer(entry: Entry, lease: Lease): Pending {
    const turn = new ToolTurn(this.#context, this.#log, entry, this.#holder, lease.fence);
    const tries = lease.record.tries[entry.position] ?? 0;
    if (tries >= MOST_TRIES) return this.#close(turn, lease, givenUp);
    // Before the tool sees it: one that takes its server down with it must be found out by the next one.
    const record = { done: entry.position - 1, tries: { [entry.position]: tries + 1 } };
    const saving = this.#lease.save(lease.fence, record);
    return saving ? saving.then(() => this.#begin(turn, lease)) : this.#begin(turn, lease);
  }

  #begin(turn: ToolTurn, lease: Lease): Pending {
    if (this.#closed) return;
    if (this.#isOvertaken(turn.message)) return this.#close(turn, lease, overtaken);
    this.#turn = turn;
    const ending = this.#attend(turn);
    if (ending instanceof Promise) return ending.then((late) => this.#close(turn, lease, late));
    return this.#close(turn, lease, ending);
  }

  /** Whether a newer message waits, and the tool wants to leave older ones for it. */
  #isOvertaken({ position }: Entry): boolean {
    if (this.#tool.whileRunning !== 'interrupt') return false;
    return (this.#log.state.asks?.at(-1)?.position ?? 0) > position;
  }

  /** Lets the tool answer, for as long as it may. A tool that is done at once needs no clock. */
  #attend(turn: ToolTurn): Ending | Promise<Ending> {
    try {
      const pending = callTool(this.#tool, turn);
      return pending === undefined || pending === settled ? finished : this.#watch.attend(turn, pending);
    } catch (error) {
      return this.#watch.failed(turn, error);
    }
  }

  /** Writes the turn's last words, then that it is done. */
  #close(turn: ToolTurn, lease: Lease, ending: Ending): Pending {
    const save = (): Pending => {
      this.#turn = undefined;
      return this.#lease.save(lease.fence, { done: turn.message.position, tries: noTries });
    };
    const pending = turn.finish(ending);
    return pending ? pending.catch((error: unknown) => this.#notClosed(turn, lease, ending, error)).then(save) : save();
  }

  /** The log refused the turn's last words, or the store did not say: what is open is closed once it does. */
  #notClosed({ id }: ToolTurn, { fence }: Lease, ending: Ending, error: unknown): void {
    this.#context.log('warn', 'turn not closed', { transaction: this.#log.transaction, message: id, error });
    if (isStale(error)) this.#lease.drop();
    this.#unclosed = { fence, ending };
    this.#tidySince = undefined;
  }
}

function isStale(error: unknown): boolean {
  return error instanceof Refused && error.why === 'lease';
}
