// Has one message after another answered by the tool: begins a turn, stops it when it must not go on, closes it, and
// notes in the lease's record how far that is. Which message is next is not its concern. Spec: §4, §6, runs.

import type { Entry, Lease, Pending } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { cancelled, type Ending, failed, finished, Stopped } from './ending.ts';
import type { LeaseHold } from './lease-hold.ts';
import type { LiveLog } from './live-log.ts';
import { isStale } from './pen.ts';
import { settled } from './promises.ts';
import { callTool } from './tool-input.ts';
import type { AnyTool } from './toolbox.ts';
import { ToolTurn } from './turn.ts';
import { TurnWatch } from './turn-watch.ts';

/** How often a turn is begun that its server never lives to end. */
const MOST_TRIES = 2;

const overtaken = cancelled('a newer message came');
const givenUp = failed(`the tool was begun ${MOST_TRIES} times, and each time its server stopped`);

export class Answering {
  /** A turn whose end the store did not take. */
  unclosed: { readonly fence: number; readonly ending: Ending } | undefined;
  readonly #context: ServerContext;
  readonly #log: LiveLog;
  readonly #tool: AnyTool;
  readonly #holder: string;
  readonly #lease: LeaseHold;
  /** Made for the first turn that takes time, or fails: many transactions lie idle. */
  #watch: TurnWatch | undefined;
  #turn: ToolTurn | undefined;
  #isClosed = false;

  /** @param holder the session that the tool's entries carry. */
  constructor(context: ServerContext, log: LiveLog, tool: AnyTool, holder: string, lease: LeaseHold) {
    this.#context = context;
    this.#log = log;
    this.#tool = tool;
    this.#holder = holder;
    this.#lease = lease;
  }

  /** Whether the log says something that stops the turn. */
  look(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.look();
    if (this.#isOvertaken(turn.message)) turn.halt(new Stopped('a newer message came', overtaken));
  }

  /** Stops the turn, if there is one. */
  halt(reason: Stopped): void {
    this.#turn?.halt(reason);
  }

  /** Begins no more turns. */
  retire(): void {
    this.#isClosed = true;
  }

  close(): void {
    this.retire();
    this.#watch?.close();
    this.halt(new Stopped('the server is closing', failed('the server is closing')));
  }

  #watching(): TurnWatch {
    this.#watch ??= new TurnWatch(this.#context, this.#tool.name, () => this.#renew());
    return this.#watch;
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

  /** Has the tool answer a message. Done, or resolves, when its turn is over and that is noted; never rejects. */
  answer(entry: Entry, lease: Lease): Pending {
    const turn = new ToolTurn(this.#context, this.#log, entry, this.#holder, lease.fence);
    const { position } = entry;
    const { begun, tries } = lease.record;
    const before = begun === position ? tries : 0;
    if (before >= MOST_TRIES) return this.#close(turn, lease, givenUp);
    // Before the tool sees it: one that takes its server down with it must be found out by the next one.
    const record = { done: position - 1, begun: position, tries: before + 1 };
    const saving = this.#lease.save(lease.fence, record);
    return saving ? saving.then(() => this.#begin(turn, lease)) : this.#begin(turn, lease);
  }

  #begin(turn: ToolTurn, lease: Lease): Pending {
    if (this.#isClosed) return;
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
      return pending === undefined || pending === settled ? finished : this.#watching().attend(turn, pending);
    } catch (error) {
      return this.#watching().failed(turn, error);
    }
  }

  /** Writes the turn's last words, then that it is done. */
  #close(turn: ToolTurn, lease: Lease, ending: Ending): Pending {
    const save = (): Pending => {
      this.#turn = undefined;
      return this.#lease.save(lease.fence, { done: turn.message.position, begun: 0, tries: 0 });
    };
    const pending = turn.finish(ending);
    return pending ? pending.catch((error: unknown) => this.#notClosed(turn, lease, ending, error)).then(save) : save();
  }

  /** The log refused the turn's last words, or the store did not say: what is open is closed once it does. */
  #notClosed(turn: ToolTurn, { fence }: Lease, ending: Ending, error: unknown): void {
    this.#context.log('warn', 'turn not closed', { transaction: this.#log.transaction, message: turn.id, error });
    this.unclosed = { fence, ending: turn.outcome(ending) };
    if (isStale(error)) this.#lease.drop();
  }
}
