// Notices that a peer went silent: after a while asks for a sign of life, then gives it up. Any arrival is life, so a
// busy connection is never asked, and no peer is blamed for a while in which this process itself stood still: what the
// peer said then waits to be read. Limits: ping 20 s, dead after 10 s more.

import type { Clock, Connection, Timer } from '@haip/protocol';
import { STALL_MS } from './deadline.ts';
import type { ServerLimits } from './limits.ts';

/** How often it looks before it asks: what is heard just after a look makes the peer seem younger by a quarter at most. */
const LOOKS = 4;
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
  #due = 0;
  #heard: number;
  /** Looks in a row that found nothing new; more than {@link LOOKS} once the peer was asked. */
  #silent = 0;

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
    this.#timer = this.#wait(limits.pingAfterMs / LOOKS);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wait(ms: number): Timer {
    this.#due = this.#clock.monotonic() + ms;
    return this.#clock.timer(ms, () => this.#look());
  }

  #look(): void {
    const { pingAfterMs, deadAfterMs } = this.#limits;
    if (this.#clock.monotonic() > this.#due + STALL_MS) {
      // Looked at again once there was time to read, and for an answer to come.
      this.#timer = this.#wait(this.#silent >= LOOKS ? deadAfterMs : pingAfterMs / LOOKS);
      return;
    }
    const { heard } = this.#connection;
    this.#silent = heard === this.#heard ? this.#silent + 1 : 0;
    this.#heard = heard;
    if (this.#silent > LOOKS) {
      this.#owner.giveUp();
      return;
    }
    const asks = this.#silent === LOOKS;
    if (asks) this.#owner.ping();
    this.#timer = this.#wait(asks ? deadAfterMs : pingAfterMs / LOOKS);
  }
}
