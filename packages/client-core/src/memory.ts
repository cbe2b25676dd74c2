// What a client would go on from if its page were loaded again. Types only: who keeps it over a reload is an option
// (kept-outbox.ts), so that a page that does not want it does not load it. Spec: §2.2, §3.4.

import type { OpenTransaction } from './open-transaction.ts';
import type { Settings } from './options.ts';
import type { Outbox, Outgoing } from './outbox.ts';
import type { Cursor } from './transaction.ts';

/** A message that nobody waits for any more, since the page that sent it is gone. */
export interface FailedMessage extends Pick<Outgoing, 'id' | 'type' | 'transaction' | 'payload' | 'bytes'> {
  /** UnknownOutcomeError when it may be in the log; with any other it is not. */
  readonly reason: Error;
}

export interface ClientMemory {
  token: string | undefined;
  /** The number of the last HAI. */
  attempt: number;
  readonly outbox: Outbox;
  readonly transactions: ReadonlyMap<string | null, OpenTransaction>;
  /** Where reading was, in the transactions that were open when the page was left, and in those open since. */
  readonly cursors: Map<string, Cursor>;
  tellFailed(message: FailedMessage): void;
}

/** What a client tells whoever keeps its memory. */
export interface Keeping {
  /** Something of it is another. */
  changed(): void;
  /** A transaction was opened: what was left in it may go now. */
  opened(transaction: OpenTransaction): void;
}

/** Called once, to fill the memory of a client. */
export type OutboxKeeper = (memory: ClientMemory, settings: Settings) => Keeping;
