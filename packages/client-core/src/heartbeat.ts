// Finds out whether a quiet link still lives. Owns one timer. Asks after a time without hearing anything, gives the
// peer a while to answer, and asks anew when its own timer fired so late that the machine must have slept or stalled:
// then the silence was ours. Spec: guarantees.md, limits, F5, F15, F36.

import type { Clock, Connection, Timer } from '@haip/protocol';

export interface HeartbeatOptions {
  /** Silence after which the peer is asked for a sign of life. Default 20,000 ms. */
  readonly pingAfterMs: number;
  /** How long it then has. Default 10,000 ms. */
  readonly deadAfterMs: number;
}

export class Heartbeat {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #options: HeartbeatOptions;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #heard = -1;
  #heardAt = 0;
  #asked = false;
  #timer: Timer | undefined;

  constructor(connection: Connection, clock: Clock, options: HeartbeatOptions, ping: () => void, dead: () => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#options = options;
    this.#ping = ping;
    this.#dead = dead;
    this.hear();
    this.#wait(options.pingAfterMs);
  }

  /** Something arrived. */
  hear(): void {
    this.#heard = this.#connection.heard;
    this.#heardAt = this.#clock.monotonic();
    this.#asked = false;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    const due = this.#clock.monotonic() + ms;
    this.#timer = this.#clock.timer(ms, () => this.#look(this.#clock.monotonic() - due));
  }

  #look(lateMs: number): void {
    const { pingAfterMs, deadAfterMs } = this.#options;
    // The link's own signs of life (a WebSocket ping) are counted, but nobody is told when they come.
    if (this.#connection.heard !== this.#heard) this.hear();
    const quietMs = this.#clock.monotonic() - this.#heardAt;
    if (lateMs <= deadAfterMs / 2) {
      if (this.#asked) return this.#dead();
      if (quietMs < pingAfterMs) return this.#wait(pingAfterMs - quietMs);
    }
    this.#asked = true;
    this.#ping();
    this.#wait(deadAfterMs);
  }
}
