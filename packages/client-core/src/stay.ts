// How long an entry stays with the application: until its listeners have returned and every loop that was open when
// it came has taken it. Then the window it was sent in has room again. Spec: §5.2.

import type { Received } from '@haip/protocol';
import type { Session } from './session.ts';

export interface Stay {
  readonly received: Received;
  readonly session: Session;
  /** How many hold it. Begun with 1 by whoever hands the entry over, who leaves when that is done. */
  holders: number;
}

/** One fewer holds it; the last one tells the session. */
export function leave(stay: Stay): void {
  if (--stay.holders === 0) stay.session.consumed(stay.received);
}
