// What a transaction tells its listeners and loops.

import type { Conversation, ConversationEntry, ConversationGap } from '@haip/protocol';

/** A place in a log. Positions of one epoch mean nothing in another. */
export interface Cursor {
  readonly epoch: string;
  readonly position: number;
}

/** What `entries()` gives: an entry, or the stretch of the log that is missing before the next one. */
export type TransactionEvent =
  | { readonly kind: 'entry'; readonly entry: ConversationEntry }
  | { readonly kind: 'gap'; readonly gap: ConversationGap }
  | { readonly kind: 'restart'; readonly epoch: string };

export interface TransactionEvents {
  /** The conversation or what is pending changed. */
  change: Conversation;
  entry: ConversationEntry;
  /** Positions `first`…`last` are no longer kept: they will not come. */
  gap: ConversationGap;
  /** The log is another one: what follows replaces all that was there. */
  restart: { readonly epoch: string };
  /** TRANSACTION_END was read. */
  ended: ConversationEntry;
  /** Nothing more will come; with the reason when it was not the application's own doing. */
  closed: Error | undefined;
}
