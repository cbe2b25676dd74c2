// The little that is in no log and must get from one node to another: a POST that reached the wrong one, a client that
// moved. A store that several nodes share carries it, so that there is no second bus to run. Spec: §7.

import type { Pending } from './pending.ts';

export interface Backplane {
  /**
   * Gives `body` to all who listen to `topic` at that moment, on this node and the others. Best effort: it may come
   * late, twice or never, and who is not there yet or no more has missed it.
   *
   * @param topic `[A-Za-z0-9_.:-]{1,128}`
   * @param body up to 2 MiB, more than a POST may have; not to be changed afterwards
   */
  notify(topic: string, body: Uint8Array): Pending;

  /** Calls `heard`, which must not throw, with what is told to `topic`. Gives the way to stop; stopping twice is fine. */
  listen(topic: string, heard: (body: Uint8Array) => void): () => void;
}
