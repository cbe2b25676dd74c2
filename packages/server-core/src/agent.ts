// Runs a transaction's tool: a cursor over the log that turns each person's message into one turn, one after another,
// while this node holds the lease. What a tool throws, or how long it takes, costs its own turn only. Spec: §4.

import { type Entry, isJsonObject, type JsonObject, type Lease } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import type { Follower, LiveLog } from './live-log.ts';
import { type AnyTool, checkInput } from './toolbox.ts';
import { ToolTurn, type TurnEnd } from './turn.ts';

const LEASE_MS = 30_000;
/** How long a tool may go on after its signal was aborted, before its turn is closed without it. */
const GRACE_MS = 5_000;

/** True for what a tool answers: a person's whole message, the end of a streamed one, a piece of audio. */
function wantsAnswer(entry: Entry): boolean {
  if (entry.user === null) return false;
  return entry.type === 'MESSAGE' || entry.type === 'MESSAGE_END' || entry.type === 'AUDIO';
}

export class Agent implements Follower {
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #tool: AnyTool;
  readonly #holder: string;
  #cursor: number | undefined;
  #lease: Lease | undefined;
  #leaseUntil = 0;
  #turn: ToolTurn | undefined;
  #running = false;
  #closed = false;
  /** Called when there is nothing left to answer. */
  idle: () => void = () => {};

  constructor(context: ServerContext, log: LiveLog, tool: AnyTool) {
    this.#context = context;
    this.#log = log;
    this.#tool = tool;
    this.#holder = context.ids();
  }

  get busy(): boolean {
    return this.#running;
  }

  wake(): void {
    if (this.#turn) this.#look(this.#turn);
    if (this.#running || this.#closed || this.#cursor === this.#log.last) return;
    this.#running = true;
    this.#run()
      .catch((error: unknown) => {
        this.#context.log('error', 'agent stopped', { transaction: this.#log.transaction, error });
      })
      .finally(() => {
        this.#running = false;
        this.idle();
      });
  }

  close(): void {
    this.#closed = true;
    this.#turn?.abort(new Error('the server is closing'));
  }

  /** Whether somebody stopped the turn that runs. */
  #look(turn: ToolTurn): void {
    if (this.#log.ended) turn.abort(new Error('the transaction has ended'));
    else if (turn.runId !== undefined && this.#log.cancelled.has(turn.runId)) turn.abort(new Error('cancelled'));
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const lease = await this.#hold();
      if (lease === undefined) return;
      this.#cursor ??= lease.record.done;
      if (this.#cursor >= this.#log.last) return;
      const stretch = await this.#log.after(this.#cursor);
      for (const { entry } of stretch.entries) {
        if (wantsAnswer(entry)) await this.#answer(entry, lease);
        if (this.#closed) return;
        this.#cursor = entry.position;
      }
      this.#cursor = Math.max(this.#cursor, stretch.last);
    }
  }

  /** The lease, taken or renewed when half its time is over; undefined while another node holds it. */
  async #hold(): Promise<Lease | undefined> {
    const now = this.#context.clock.monotonic();
    if (this.#lease !== undefined && now < this.#leaseUntil - LEASE_MS / 2) return this.#lease;
    const lease = await this.#context.history.lease(this.#log.transaction, this.#holder, LEASE_MS);
    this.#lease = lease ?? undefined;
    this.#leaseUntil = now + LEASE_MS;
    return this.#lease;
  }

  async #answer(entry: Entry, lease: Lease): Promise<void> {
    const turn = new ToolTurn(this.#context, this.#log, entry, this.#holder, lease.fence);
    this.#turn = turn;
    try {
      const [end, fault] = await this.#attempt(turn, entry);
      await turn.finish(end, fault);
    } catch (error) {
      // The log refused the turn's last words: it ended, or another node answers now. Who reads it sees why.
      this.#context.log('warn', 'turn not closed', { transaction: this.#log.transaction, message: entry.id, error });
    } finally {
      this.#turn = undefined;
    }
    await this.#context.history.saveLease(this.#log.transaction, lease.fence, { done: entry.position, tries: {} });
  }

  /** Lets the tool answer, for as long as it may. */
  async #attempt(turn: ToolTurn, entry: Entry): Promise<[TurnEnd, JsonObject?]> {
    const over = Promise.withResolvers<'late'>();
    const timer = this.#context.clock.timer(this.#context.limits.turnTimeoutMs, () => {
      turn.abort(new Error('the time for this turn is over'));
      over.resolve('late');
    });
    const stop = this.#whenStopped(turn, () => over.resolve('late'));
    try {
      const result = await Promise.race([this.#call(turn, entry), over.promise]);
      if (result === 'late') this.#context.log('warn', 'tool ignored its signal', { tool: this.#tool.name });
      if (result instanceof Object) return ['ERROR', result];
      return [turn.aborted ? this.#endOf(turn) : 'OK'];
    } catch (error) {
      if (turn.aborted && this.#endOf(turn) === 'CANCELLED') return ['CANCELLED'];
      this.#context.log('error', 'tool failed', { tool: this.#tool.name, transaction: this.#log.transaction, error });
      return ['ERROR'];
    } finally {
      timer.cancel();
      stop();
    }
  }

  #endOf(turn: ToolTurn): TurnEnd {
    return turn.runId !== undefined && this.#log.cancelled.has(turn.runId) ? 'CANCELLED' : 'ERROR';
  }

  /** Gives a stopped tool a moment to return by itself. */
  #whenStopped(turn: ToolTurn, close: () => void): () => void {
    let grace: { cancel(): void } | undefined;
    turn.stopped = () => {
      grace ??= this.#context.clock.timer(GRACE_MS, close);
    };
    return () => grace?.cancel();
  }

  /** Calls the tool; gives a fault's payload when the message does not fit its input. */
  async #call(turn: ToolTurn, entry: Entry): Promise<JsonObject | undefined> {
    const payload = isJsonObject(entry.payload) ? entry.payload : {};
    if (entry.type === 'AUDIO') {
      const { bytes = new Uint8Array(), mime = 'application/octet-stream' } = entry;
      const durationMs = typeof payload['duration_ms'] === 'number' ? payload['duration_ms'] : undefined;
      await this.#tool.onAudio?.(turn, { bytes, mime, durationMs });
      return undefined;
    }
    if (this.#tool.onMessage === undefined) return undefined;
    const text = entry.type === 'MESSAGE' ? entry.payload : await this.#wholeText(turn, payload);
    const checked = checkInput(this.#tool, text);
    const input = checked instanceof Promise ? await checked : checked;
    if (!input.ok) return { code: 'INVALID_PAYLOAD', message: `expected ${input.expected}` };
    const pending = this.#tool.onMessage(turn, input.value);
    if (pending) await pending;
    return undefined;
  }

  /** A streamed message's text: its END carries it, unless it is too long for an envelope. */
  async #wholeText(turn: ToolTurn, end: JsonObject): Promise<string> {
    if (typeof end['text'] === 'string') return end['text'];
    const { messages } = await turn.conversation();
    return messages.find((message) => message.id === end['message_id'])?.text ?? '';
  }
}
