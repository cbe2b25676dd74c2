// Runs a transaction's tool: a cursor over the log that turns each person's message into one turn, one after another,
// while this node holds the lease. What a tool throws, or how long it takes, costs its own turn only. Spec: §4.

import {
  type Entry,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type Lease,
  type Pending,
  type Timer,
} from '@haip/protocol';
import type { ServerContext } from './context.ts';
import type { Follower, LiveLog } from './live-log.ts';
import type { LoggedEntry } from './logged-entry.ts';
import { type AnyTool, type CheckedInput, checkInput } from './toolbox.ts';
import { settled, ToolTurn, type TurnEnd } from './turn.ts';

const LEASE_MS = 30_000;
/** How long after the store failed it is asked again. */
const RETRY_MS = 1_000;
/** How long a tool may go on after its signal was aborted, before its turn is closed without it. */
const GRACE_MS = 5_000;

/** How a turn ended, and what its RUN_ERROR says. */
type Ending = readonly [TurnEnd, JsonObject?];

const finished: Ending = ['OK'];
const noTries = {};

/** True for what a tool answers: a person's whole message, the end of a streamed one, a piece of audio. */
function wantsAnswer(entry: Entry): boolean {
  if (entry.user === null) return false;
  return entry.type === 'MESSAGE' || entry.type === 'MESSAGE_END' || entry.type === 'AUDIO';
}

/** A message does not fit the tool's input; the tool never saw it. */
class InvalidInput extends Error {}

export class Agent implements Follower {
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #tool: AnyTool;
  readonly #holder: string;
  #cursor: number | undefined;
  #lease: Lease | undefined;
  #leaseUntil = 0;
  #turn: ToolTurn | undefined;
  #turnSince = 0;
  #watch: Timer | undefined;
  #retry: Timer | undefined;
  #epoch: string;
  #running = false;
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
  }

  get position(): number {
    return this.#cursor ?? 0;
  }

  /** Resolves when nothing is being answered any more. */
  get done(): Promise<void> | undefined {
    return this.#work;
  }

  get busy(): boolean {
    return this.#running;
  }

  wake(): void {
    if (this.#turn) this.#look(this.#turn);
    if (this.#running || this.#closed || (this.#cursor === this.#log.last && this.#epoch === this.#log.epoch)) return;
    this.#running = true;
    this.#work = this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#watch?.cancel();
    this.#watch = undefined;
    this.#retry?.cancel();
    this.#turn?.stop.stop(new Error('the server is closing'));
  }

  /** Another node answers, until its lease could have lapsed; or the store failed, for a moment. */
  #wakeLater(delayMs: number): void {
    if (this.#closed) return;
    this.#retry ??= this.#context.clock.timer(delayMs, () => {
      this.#retry = undefined;
      this.wake();
    });
  }

  /** Whether somebody stopped the turn that runs. */
  #look(turn: ToolTurn): void {
    if (this.#log.state.ended) turn.stop.stop(new Error('the transaction has ended'));
    else if (turn.runId !== undefined && this.#log.state.cancelled.has(turn.runId))
      turn.stop.stop(new Error('cancelled'));
  }

  /** Waits only for what is not there at once: most messages are answered without a pause between. */
  async #run(): Promise<void> {
    try {
      while (!this.#closed) {
        const held = this.#hold();
        const lease = held instanceof Promise ? await held : held;
        if (lease === undefined) return this.#wakeLater(LEASE_MS);
        if (this.#epoch !== this.#log.epoch) {
          // Another log has another lease, too.
          this.#epoch = this.#log.epoch;
          this.#cursor = 0;
          this.#lease = undefined;
          continue;
        }
        // Another node may have answered since this one last looked.
        this.#cursor = Math.max(this.#cursor ?? 0, lease.record.done);
        if (this.#cursor >= this.#log.last) return;
        const read = this.#log.after(this.#cursor);
        const stretch = read instanceof Promise ? await read : read;
        if (stretch.epoch !== this.#epoch) continue;
        if (stretch.first > this.#cursor + 1) {
          const [from, to] = [this.#cursor + 1, stretch.first - 1];
          this.#context.log('error', 'trimmed unanswered', { transaction: this.#log.transaction, from, to });
        }
        const whole = await this.#answerAll(stretch.entries, lease);
        if (whole) this.#cursor = Math.max(this.#cursor, stretch.last);
      }
    } catch (error) {
      this.#context.log('error', 'agent stopped', { transaction: this.#log.transaction, error });
      this.#wakeLater(RETRY_MS);
    } finally {
      this.#running = false;
      this.#log.forget();
      this.idle();
    }
  }

  /** Answers what wants an answer, while the lease holds. False when it stopped before the end. */
  async #answerAll(entries: readonly LoggedEntry[], { fence }: Lease): Promise<boolean> {
    for (const { entry } of entries) {
      if (entry.position <= (this.#cursor ?? 0)) continue;
      // The end of the transaction answers whatever still waits in it.
      const pending = wantsAnswer(entry) && !this.#log.state.ended ? this.#answer(entry, fence) : undefined;
      if (pending) await pending;
      if (this.#closed || this.#lease?.fence !== fence) return false;
      this.#cursor = entry.position;
    }
    return true;
  }

  /** The lease, taken or renewed when half its time is over; undefined while another node holds it. */
  #hold(): Lease | undefined | Promise<Lease | undefined> {
    const now = this.#context.clock.monotonic();
    if (this.#lease !== undefined && now < this.#leaseUntil - LEASE_MS / 2) return this.#lease;
    const lease = this.#context.history.lease(this.#log.transaction, this.#holder, LEASE_MS);
    return lease instanceof Promise ? lease.then((late) => this.#held(late, now)) : this.#held(lease, now);
  }

  #held(lease: Lease | null, since: number): Lease | undefined {
    this.#lease = lease ?? undefined;
    if (lease === null) this.#turn?.stop.stop(new Error('another node answers this transaction now'));
    this.#leaseUntil = since + LEASE_MS;
    return this.#lease;
  }

  #answer(entry: Entry, fence: number): Pending {
    const turn = new ToolTurn(this.#context, this.#log, entry, this.#holder, fence);
    this.#turn = turn;
    const ending = this.#begin(turn, entry);
    if (ending instanceof Promise) return ending.then((late) => this.#close(turn, fence, late));
    return this.#close(turn, fence, ending);
  }

  /** Writes the turn's last words, then that it is done. */
  #close(turn: ToolTurn, fence: number, [end, fault]: Ending): Pending {
    const save = (): Pending => this.#save(turn.message, fence);
    try {
      const pending = turn.finish(end, fault);
      if (pending) return pending.catch((error: unknown) => this.#notClosed(turn, error)).then(save);
    } catch (error) {
      this.#notClosed(turn, error);
    }
    return save();
  }

  /** The log refused the turn's last words: it ended, or another node answers now. Who reads it sees why. */
  #notClosed({ id }: ToolTurn, error: unknown): void {
    this.#context.log('warn', 'turn not closed', { transaction: this.#log.transaction, message: id, error });
  }

  #save(entry: Entry, fence: number): Pending {
    this.#turn = undefined;
    const record = { done: entry.position, tries: noTries };
    try {
      const saving = this.#context.history.saveLease(this.#log.transaction, fence, record);
      return saving?.catch((error: unknown) => this.#notSaved(error));
    } catch (error) {
      this.#notSaved(error);
    }
  }

  /** The next turn's record covers this one, too; until then only a crash would have it answered again. */
  #notSaved(error: unknown): void {
    this.#context.log('warn', 'lease not saved', { transaction: this.#log.transaction, error });
  }

  /** Lets the tool answer, for as long as it may. A tool that is done at once needs no clock. */
  #begin(turn: ToolTurn, entry: Entry): Ending | Promise<Ending> {
    try {
      const pending = this.#call(turn, entry);
      return pending === undefined || pending === settled ? finished : this.#attend(turn, pending);
    } catch (error) {
      return this.#failed(turn, error);
    }
  }

  /** Waits for the tool, or for its turn to be stopped and its grace to be over. */
  #attend(turn: ToolTurn, pending: Promise<unknown>): Promise<Ending> {
    const { clock, limits, log } = this.#context;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    let grace: Timer | undefined;
    const end = (ending: Ending): void => {
      grace?.cancel();
      resolve(ending);
    };
    pending.then(
      () => end(this.#endingOf(turn)),
      (error: unknown) => end(this.#failed(turn, error)),
    );
    turn.stop.whenStopped(() => {
      grace ??= clock.timer(GRACE_MS, () => {
        log('warn', 'tool ignored its signal', { tool: this.#tool.name });
        end(this.#endingOf(turn));
      });
    });
    this.#turnSince = clock.monotonic();
    this.#watch ??= clock.timer(Math.min(limits.turnTimeoutMs, LEASE_MS / 2), this.#lookAfter);
    return promise;
  }

  /** Keeps a long turn's lease, and to its time. One timer for all turns, since hardly any lives to see it. */
  readonly #lookAfter = (): void => {
    this.#watch = undefined;
    if (this.#turn === undefined) return;
    const { clock, limits, log } = this.#context;
    const left = this.#turnSince + limits.turnTimeoutMs - clock.monotonic();
    if (left <= 0) return this.#turn.stop.stop(new Error('the time for this turn is over'));
    this.#watch = clock.timer(Math.min(left, LEASE_MS / 2), this.#lookAfter);
    const failed = (error: unknown): void => log('warn', 'lease not renewed', { error });
    try {
      const held = this.#hold();
      if (held instanceof Promise) held.catch(failed);
    } catch (error) {
      failed(error);
    }
  };

  #endingOf(turn: ToolTurn): Ending {
    return turn.stop.stopped ? [this.#endOf(turn)] : finished;
  }

  #failed(turn: ToolTurn, error: unknown): Ending {
    if (turn.stop.stopped && this.#endOf(turn) === 'CANCELLED') return ['CANCELLED'];
    if (error instanceof InvalidInput) return ['ERROR', { code: 'INVALID_PAYLOAD', message: error.message }];
    this.#context.log('error', 'tool failed', { tool: this.#tool.name, transaction: this.#log.transaction, error });
    return ['ERROR'];
  }

  #endOf(turn: ToolTurn): TurnEnd {
    return turn.runId !== undefined && this.#log.state.cancelled.has(turn.runId) ? 'CANCELLED' : 'ERROR';
  }

  /** Calls the tool. What it returns means nothing but that it is done. */
  #call(turn: ToolTurn, entry: Entry): Promise<unknown> | undefined {
    if (entry.type === 'AUDIO') return this.#hear(turn, entry) || undefined;
    if (this.#tool.onMessage === undefined) return undefined;
    if (entry.type === 'MESSAGE') return this.#tell(turn, entry.payload);
    const end = isJsonObject(entry.payload) ? entry.payload : {};
    if (typeof end['text'] === 'string') return this.#tell(turn, end['text']);
    return this.#wholeText(turn, end).then((text) => this.#tell(turn, text));
  }

  #hear(turn: ToolTurn, { bytes = new Uint8Array(), mime = 'application/octet-stream', payload }: Entry): Pending {
    const duration = isJsonObject(payload) ? payload['duration_ms'] : undefined;
    const durationMs = typeof duration === 'number' ? duration : undefined;
    return this.#tool.onAudio?.(turn, { bytes, mime, durationMs });
  }

  #tell(turn: ToolTurn, payload: JsonValue): Promise<unknown> | undefined {
    const checked = checkInput(this.#tool, payload);
    if (checked instanceof Promise) return checked.then((late) => this.#tellChecked(turn, late));
    return this.#tellChecked(turn, checked);
  }

  #tellChecked(turn: ToolTurn, input: CheckedInput): Promise<unknown> | undefined {
    if (!input.ok) throw new InvalidInput(`expected ${input.expected}`);
    return this.#tool.onMessage?.(turn, input.value) || undefined;
  }

  /** The text of a streamed message that is too long for its END to carry. */
  async #wholeText(turn: ToolTurn, end: JsonObject): Promise<string> {
    const { messages } = await turn.conversation();
    return messages.find((message) => message.id === end['message_id'])?.text ?? '';
  }
}
