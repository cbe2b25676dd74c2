// Whether what is known may be relied on: not while NATS is away, and after that only once it is looked whether all that
// was stored is there.

import type { NatsConnection } from '@nats-io/transport-node';

export interface PresenceOptions {
  readonly nc: NatsConnection;
  disconnected(): void;
  reconnected(): void;
  /** Looks whether all that was stored is there. */
  check(): Promise<void>;
}

export class Presence {
  #options: PresenceOptions | undefined;
  /** How often something was not as it was, and how much of that is looked into. */
  #doubts = 0;
  #settled = 0;

  /** From now on follows the connection. */
  follow(options: PresenceOptions): void {
    this.#options = options;
    void this.#follow(options);
  }

  /** Undefined when all is well, else resolves when it is again. */
  ready(): Promise<void> | undefined {
    if (this.#settled === this.#doubts) return undefined;
    return this.#look();
  }

  /** Something may not be as it was: whoever asks next looks first. */
  doubt(): void {
    this.#doubts++;
  }

  /** Something is not as it was, and what was asked waits for it. */
  lookNow(): void {
    this.doubt();
    this.#look().catch(() => {
      // Who asks next looks again.
    });
  }

  async #look(): Promise<void> {
    const doubts = this.#doubts;
    await this.#options?.check();
    this.#settled = Math.max(this.#settled, doubts);
  }

  async #follow({ nc, disconnected, reconnected }: PresenceOptions): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === 'disconnect') {
        this.doubt();
        disconnected();
      } else if (type === 'reconnect') reconnected();
    }
  }
}
