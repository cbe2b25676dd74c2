// How long an entry stays with the application: until its listeners have returned and every loop that was open when
// it came has taken it. Then the window it was sent in has room again. Spec: §5.2.

import type { Received } from '@haip/protocol';
import type { Session } from './session.ts';

export class Stay {
  readonly #received: Received;
  readonly #session: Session;
  #holders = 1;

  /** Begun by whoever hands the entry over, who leaves when that is done. */
  constructor(received: Received, session: Session) {
    this.#received = received;
    this.#session = session;
  }

  /** One more holds it. */
  enter(): void {
    this.#holders++;
  }

  /** One fewer holds it; the last one tells the session. */
  leave(): void {
    if (--this.#holders === 0) this.#session.consumed(this.#received);
  }
}
