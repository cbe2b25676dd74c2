// Watches over an agent's turn that takes time: to the end of its tool, to the limit of its time, and to the end of the
// grace that a tool has once its turn was stopped. Decides when a turn is over, writes nothing. Spec: §4, §8.

import type { Timer } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { type Ending, failed, finished, Stopped } from './ending.ts';
import type { ServerLimits } from './limits.ts';
import type { ToolTurn } from './turn.ts';

/** How often a turn that goes on has its lease looked after. */
const renewMs = ({ leaseMs }: ServerLimits): number => Math.ceil(leaseMs / 2);

export class TurnWatch {
  readonly #context: ServerContext;
  readonly #tool: string;
  readonly #renew: () => void;
  #turn: ToolTurn | undefined;
  #since = 0;
  #timer: Timer | undefined;

  /** @param renew called now and then while a turn goes on. */
  constructor(context: ServerContext, tool: string, renew: () => void) {
    this.#context = context;
    this.#tool = tool;
    this.#renew = renew;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Waits for the tool, or for its turn to be stopped and its grace to be over. Never rejects. */
  attend(turn: ToolTurn, pending: Promise<unknown>): Promise<Ending> {
    const { clock, limits, slots } = this.#context;
    const user = turn.message.user ?? '';
    const { promise, resolve } = Promise.withResolvers<Ending>();
    let grace: Timer | undefined;
    let isOver = false;
    const end = (ending: Ending): void => {
      if (isOver) return;
      isOver = true;
      grace?.cancel();
      this.#turn = undefined;
      slots.free(user);
      resolve(ending);
    };
    pending.then(
      () => end(this.#endingOf(turn)),
      (error: unknown) => end(isOver ? finished : this.failed(turn, error)),
    );
    turn.stop.whenStopped(() => {
      grace ??= clock.timer(limits.stopGraceMs, () => {
        this.#report('tool ignored its signal', turn);
        end(this.#endingOf(turn));
      });
    });
    slots.take(user);
    this.#turn = turn;
    this.#since = clock.monotonic();
    this.#timer ??= clock.timer(Math.min(limits.turnTimeoutMs, renewMs(limits)), this.#look);
    return promise;
  }

  /** One timer for all turns, since hardly any lives to see it. */
  readonly #look = (): void => {
    this.#timer = undefined;
    const turn = this.#turn;
    if (turn === undefined) return;
    const { clock, limits } = this.#context;
    const left = this.#since + limits.turnTimeoutMs - clock.monotonic();
    if (left > 0) {
      this.#timer = clock.timer(Math.min(left, renewMs(limits)), this.#look);
    } else if (!turn.stop.stopped) {
      this.#report('turn took too long', turn);
      const message = `the tool was not done within ${limits.turnTimeoutMs} ms`;
      turn.halt(new Stopped(message, failed(message)));
    }
    this.#renew();
  };

  /** How a turn ends whose tool threw. What a stopped turn throws is only how its tool stops. */
  failed(turn: ToolTurn, error: unknown): Ending {
    if (turn.stop.stopped) return this.#endingOf(turn);
    if (error instanceof Stopped) return error.ending;
    if (error instanceof InvalidInput) return failed(error.message, 'INVALID_PAYLOAD');
    const { log } = this.#context;
    log('error', 'tool failed', { tool: this.#tool, transaction: turn.transaction, message: turn.id, error });
    return failed();
  }

  #endingOf({ stop }: ToolTurn): Ending {
    if (!stop.stopped) return finished;
    return stop.reason instanceof Stopped ? stop.reason.ending : failed();
  }

  #report(event: string, { transaction, id }: ToolTurn): void {
    this.#context.log('warn', event, { tool: this.#tool, transaction, message: id });
  }
}

/** A message does not fit the tool's input; the tool never saw it. */
export class InvalidInput extends Error {}
