// What the parts of one client share, and what of it would be gone on from if its page were loaded again: who keeps it over
// a reload is an option (kept-outbox.ts), so that a page that does not want it does not load it. Spec: §2.2, §3.4.

import type { JsonObject, JsonValue } from '@haip/protocol';
import type { LoopState } from './connection-loop.ts';
import type { RefusedError } from './errors.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { Settings } from './options.ts';
import type { Outgoing } from './outbox.ts';
import type { Session, SessionEnd } from './session.ts';
import type { Cursor } from './transaction.ts';

/** What a client counts, for people. */
export interface ClientStats {
  /** Frames dropped because their positions had been taken. */
  duplicates: number;
  /** Connections this client ended because the server broke the position rule. */
  faults: number;
  /** Connections that got as far as the server's HAI. */
  connections: number;
}

/** A message that nobody waits for any more, since the page that sent it is gone. */
export interface FailedMessage extends Pick<Outgoing, 'id' | 'type' | 'transaction' | 'payload' | 'bytes'> {
  /** UnknownOutcomeError when it may be in the log; with any other it is not. */
  readonly reason: Error;
}

export interface ClientCore {
  readonly settings: Settings;
  readonly stats: ClientStats;
  /** What was sent and is not yet both settled and read, in the author's order, by ids. */
  readonly items: Map<string | undefined, Outgoing>;
  isFlushing?: boolean;
  /** For how long after it was first written the server knows an id again. Default 10 min; the server's HAI says. */
  retryWithinMs: number;
  /** What carries the client. */
  session?: Session | undefined;
  /** The client is connecting, or meant to: messages are taken. */
  isOpen?: boolean;
  /** The open ones. */
  readonly transactions: Map<string | null, OpenTransaction>;
  /** Where reading was, in the transactions that were open when the page was left, and in those open since. */
  readonly cursors: Map<string, Cursor>;
  token?: string | undefined;
  /** The number of the last HAI. */
  attempt: number;
  /** Told whenever something of this is another. */
  changed(): void;
  tellError(error: RefusedError): void;
  tellFailed(message: FailedMessage): void;

  /** The credentials, as HAI has them; `forced`: new ones. */
  authenticate(forced: boolean): Promise<JsonValue | undefined>;
  become(state: LoopState): void;
  /** A session is there. One that takes the place of another brought no cursors. */
  opened(session: Session): void;
  /** The session, or the attempt at one, is over, and no other took its place. */
  ended(end: SessionEnd): void;
  /** There will be no further attempt. */
  stopped(reason: Error): void;
}

/** What a client tells whoever keeps its memory. */
export interface Keeping {
  /** Something of it is another. */
  changed(): void;
  /** A transaction was opened: what was left in it may go now. */
  opened(transaction: OpenTransaction): void;
}

/** Called once, to fill the memory of a client. */
export type OutboxKeeper = (core: ClientCore) => Keeping;

/** Where reading is in each log, as the wire has it. */
export function cursorsOf({ transactions }: ClientCore): (JsonObject & { readonly transaction: string })[] {
  return [...transactions.values()].map(({ id, epoch, read }) => ({
    transaction: id,
    epoch,
    seq: epoch && String(read),
  }));
}
