// One connection through the fault proxy: two sockets, a pipe each way, and the ways in which it can end. What one end
// does (closing, resetting) the other learns, unless the direction in between is muted.

import type { Socket } from 'node:net';
import type { Clock, Timer } from '@haip/protocol';
import { FaultPipe } from './fault-pipe.ts';
import type { CutKind, Direction, LinkFaults } from './faults.ts';

export interface FaultLink {
  /** Bytes passed on each way. Those that were lost are not counted. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** Resolves when both sockets of the proxy are closed. */
  readonly closed: Promise<void>;
  /** Lays these faults over those the link has: from the next byte on. */
  impose(faults: Omit<LinkFaults, 'sourceAddress'>): void;
  /**
   * Cuts the link; what is under way is lost. With `side` only that end learns of it, and the other one speaks to
   * nobody: half-open. Default: `reset`, for both.
   */
  cut(kind?: CutKind, side?: 'client' | 'target'): void;
  /** From now on what goes this way is lost without a sign, an end of the connection included: a one-way black hole. */
  mute(direction: Direction): void;
  /** Holds what goes this way until {@link resume}; past 256 KiB its writer is made to wait. */
  stall(direction: Direction): void;
  resume(direction: Direction): void;
}

export class ProxiedLink implements FaultLink {
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #clock: Clock;
  readonly #pipes: Readonly<Record<Direction, FaultPipe>>;
  #faults: LinkFaults = {};
  #idle: Timer | undefined;
  #activeAt: number;
  #isCut = false;

  constructor(client: Socket, target: Socket, clock: Clock, faults: LinkFaults) {
    this.#client = client;
    this.#target = target;
    this.#clock = clock;
    this.#activeAt = clock.monotonic();
    const owner = { active: () => this.#active(), cut: () => this.cut(this.#faults.cutBy) };
    this.#pipes = {
      up: new FaultPipe(client, target, clock, owner),
      down: new FaultPipe(target, client, clock, owner),
    };
    this.#pass(client, target, 'up');
    this.#pass(target, client, 'down');
    const ends = [client, target].map((socket) => new Promise((closed) => socket.once('close', closed)));
    this.closed = Promise.all(ends).then(() => this.#idle?.cancel());
    this.impose(faults);
  }

  get bytes(): { up: number; down: number } {
    return { up: this.#pipes.up.passed, down: this.#pipes.down.passed };
  }

  impose(faults: LinkFaults): void {
    this.#faults = { ...this.#faults, ...faults };
    if (faults.up) this.#pipes.up.impose(faults.up);
    if (faults.down) this.#pipes.down.impose(faults.down);
    this.#idle?.cancel();
    if (this.#faults.idleMs !== undefined) this.#watch(this.#faults.idleMs);
  }

  cut(kind: CutKind = 'reset', side?: 'client' | 'target'): void {
    this.#isCut = true;
    this.#pipes.up.mute();
    this.#pipes.down.mute();
    if (side !== 'target') end(this.#client, kind);
    if (side !== 'client') end(this.#target, kind);
  }

  mute(direction: Direction): void {
    this.#pipes[direction].mute();
  }

  stall(direction: Direction): void {
    this.#pipes[direction].stall();
  }

  resume(direction: Direction): void {
    this.#pipes[direction].resume();
  }

  /** Ends both sockets for good. */
  destroy(): void {
    this.#isCut = true;
    this.#pipes.up.shut();
    this.#pipes.down.shut();
    this.#client.destroy();
    this.#target.destroy();
  }

  /** A reset of one socket is one of the other. */
  #pass(from: Socket, to: Socket, direction: Direction): void {
    from.on('error', () => {
      if (!this.#isCut && !this.#pipes[direction].isMuted) to.resetAndDestroy();
    });
  }

  #active(): void {
    this.#activeAt = this.#clock.monotonic();
  }

  #watch(idleMs: number): void {
    const leftMs = this.#activeAt + idleMs - this.#clock.monotonic();
    if (leftMs <= 0) this.cut(this.#faults.cutBy);
    else this.#idle = this.#clock.timer(leftMs, () => this.#watch(idleMs));
  }
}

function end(socket: Socket, kind: CutKind): void {
  if (kind === 'reset') socket.resetAndDestroy();
  else if (kind === 'fin') socket.end();
}
