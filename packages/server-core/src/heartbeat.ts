// Notices that a peer went silent: after a while asks for a sign of life, then gives it up. Any arrival is life, so a
// busy connection is never asked. Limits: ping 20 s, dead after 10 s more.

import type { Clock, Connection, Timer } from '@haip/protocol';

export interface HeartbeatOptions {
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
  /** Asks the peer for a sign of life. */
  readonly ping: () => void;
  /** The peer gave none. */
  readonly dead: () => void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #options: HeartbeatOptions;
  #timer: Timer;
  #heard: number;

  constructor(clock: Clock, connection: Connection, options: HeartbeatOptions) {
    this.#clock = clock;
    this.#connection = connection;
    this.#options = options;
    this.#heard = connection.heard;
    this.#timer = clock.timer(options.pingAfterMs, this.#listen);
  }

  stop(): void {
    this.#timer.cancel();
  }

  readonly #listen = (): void => {
    const silent = this.#connection.heard === this.#heard;
    this.#heard = this.#connection.heard;
    if (silent) this.#options.ping();
    this.#timer = silent
      ? this.#clock.timer(this.#options.deadAfterMs, this.#judge)
      : this.#clock.timer(this.#options.pingAfterMs, this.#listen);
  };

  readonly #judge = (): void => {
    if (this.#connection.heard === this.#heard) this.#options.dead();
    else this.#listen();
  };
}
