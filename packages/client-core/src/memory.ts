// What a client would go on from if its page were loaded again. Types only: who keeps it over a reload is an option
// (kept-outbox.ts), so that a page that does not want it does not load it. Spec: §2.2, §3.4.

import type { Settings } from './options.ts';
import type { Outbox, Outgoing } from './outbox.ts';
import type { Reader } from './reader.ts';
import type { Cursor } from './transaction.ts';

export interface ClientMemory {
  token: string | undefined;
  /** The number of the last HAI. */
  attempt: number;
  readonly outbox: Outbox;
  readonly transactions: ReadonlyMap<string | null, Reader>;
  /** Where reading was, in the transactions that were open when the page was left, and in those open since. */
  readonly cursors: Map<string, Cursor>;
  /** Messages of an earlier page, until their transaction is open again. */
  left: readonly Outgoing[];
  /** Nobody waits any more for a message of an earlier page: the application is told of it by an event. */
  fail(item: Outgoing, reason: Error): void;
}

/** Called once, to fill the memory of a client; what it gives is called at each change of it. */
export type OutboxKeeper = (memory: ClientMemory, settings: Settings) => () => void;
