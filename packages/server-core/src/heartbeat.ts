// Notices that a peer went silent: after a while asks for a sign of life, then gives it up. Any arrival is life, so a
// busy connection is never asked. Limits: ping 20 s, dead after 10 s more.

import type { Clock, Connection, Timer } from '@haip/protocol';
import type { ServerLimits } from './limits.ts';

/** Whose connection it is. */
export interface HeartbeatOwner {
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** The peer gave none. */
  giveUp(): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #limits: Pick<ServerLimits, 'pingAfterMs' | 'deadAfterMs'>;
  readonly #connection: Connection;
  readonly #owner: HeartbeatOwner;
  #timer: Timer;
  #heard: number;
  #asked = false;

  constructor(
    clock: Clock,
    limits: Pick<ServerLimits, 'pingAfterMs' | 'deadAfterMs'>,
    connection: Connection,
    owner: HeartbeatOwner,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#connection = connection;
    this.#owner = owner;
    this.#heard = connection.heard;
    this.#timer = this.#wait(limits.pingAfterMs);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wait(ms: number): Timer {
    return this.#clock.timer(ms, () => this.#judge());
  }

  #judge(): void {
    const { pingAfterMs, deadAfterMs } = this.#limits;
    const silent = this.#connection.heard === this.#heard;
    this.#heard = this.#connection.heard;
    if (silent && this.#asked) {
      this.#owner.giveUp();
      return;
    }
    if (silent) this.#owner.ping();
    this.#asked = silent;
    this.#timer = this.#wait(silent ? deadAfterMs : pingAfterMs);
  }
}
