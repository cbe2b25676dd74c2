// A transaction as an application has it, and what it tells. Types only.

import type {
  AudioMessage,
  Conversation,
  ConversationEntry,
  ConversationGap,
  ConversationMessage,
  JsonValue,
  MessageWriter,
} from '@haip/protocol';
import type { SendResult } from './outbox.ts';

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

/** A message of this client that is not in the log yet, as far as this client has read. */
export interface PendingMessage {
  readonly id: string;
  readonly type: string;
  readonly payload: JsonValue;
  readonly bytes?: Uint8Array | undefined;
  /** The code of the ERROR for which it is being tried again. */
  readonly refusedBy?: string | undefined;
}

export interface WaitOptions {
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface CancelOptions extends WaitOptions {
  /** The run to stop. Default: every one that is `RUNNING` in the conversation. */
  readonly run?: string | undefined;
  /** How much of the agent's voice was heard, in ms. */
  readonly heardMs?: number | undefined;
}

/** A conversation. Made by `HAIPClient.startTransaction` and `joinTransaction`. */
export interface Transaction {
  readonly id: string;

  /** What people see: a new object at each change. */
  readonly conversation: Conversation;

  /** Own messages that have no place in the conversation yet, in the order they were sent. */
  readonly pending: readonly PendingMessage[];

  /** Where to go on from, say after a reload: give it to `joinTransaction`. Moves when the listeners have returned. */
  readonly cursor: Cursor;

  /** Why nothing more will come, or undefined while something may. */
  readonly closed: { readonly reason: Error | undefined } | undefined;

  /** Calls `listener` at each event of that name until the function it gives is called. What it throws is logged. */
  on<Name extends keyof TransactionEvents>(name: Name, listener: (value: TransactionEvents[Name]) => void): () => void;

  /** Sends a message that is plain text. See {@link send}. */
  sendText(text: string, options?: WaitOptions): Promise<SendResult>;

  /**
   * Sends a message. Resolves when it is in the log; over any number of reconnects it is there once.
   *
   * An abort before it was written takes it back; after that it rejects with UnknownOutcomeError.
   * @throws RefusedError when the server refused it for good: it was not stored.
   * @throws UnknownOutcomeError when nobody can say any more whether it was stored.
   * @throws ClosedError once the transaction or the client is closed.
   */
  send(payload: Exclude<JsonValue, null>, options?: WaitOptions): Promise<SendResult>;

  /** Sends audio: the bytes beside the envelope where the transport can, else inside it. Outcome as of {@link send}. */
  sendAudio(audio: AudioMessage, options?: WaitOptions): Promise<SendResult>;

  /** Begins a message whose text is sent bit by bit, each part stored before the next is due. */
  stream(options?: WaitOptions & { readonly author?: string }): MessageWriter;

  /**
   * Whole messages of others as they complete, beginning with those no earlier loop was given. A loop that is left is
   * cleaned up; ends when the transaction does. What a loop does not take is held for it.
   */
  messages(options?: WaitOptions): AsyncIterableIterator<ConversationMessage, undefined>;

  /** Entries, gaps and restarts from now on, as they are handed over. What a loop does not take is held for it. */
  entries(options?: WaitOptions): AsyncIterableIterator<TransactionEvent, undefined>;

  /**
   * The stored entries from position `from` to `to`, both included, as the log has them; own messages too. Without
   * `from` it begins with the first that is kept, without `to` it ends at what this client has read.
   * @throws ReplayTooOldError naming the first position that is kept, when the range begins before it, or while it is
   * read comes to begin before it.
   */
  getReplayWindow(
    from?: number,
    to?: number,
    options?: WaitOptions,
  ): AsyncGenerator<ConversationEntry, void, undefined>;

  /**
   * Makes the server send nothing of that channel (default AGENT), nor what comes behind it in this conversation, until
   * `resume`; what is underway still comes. Holds over reconnects.
   */
  pause(channel?: string): void;

  /** Ends `pause`. */
  resume(channel?: string): void;

  /**
   * Asks the agent to stop, whoever set it to work. Resolves when the log has the request; what was said until then
   * stays, and the run's end follows as an entry. Stops nothing that has not begun, or has ended. Outcome as of
   * {@link send}.
   */
  cancel(options?: CancelOptions): Promise<void>;

  /** Asks to stop one tool call, by its id in `conversation.calls`; its run may go on without it. */
  cancelCall(call: string, options?: WaitOptions & { readonly reason?: string }): Promise<void>;

  /** Lets a call that waits for a person's word go on, or with false denies it. The first answer in the log counts. */
  approve(call: string, isApproved?: boolean, options?: WaitOptions): Promise<void>;

  /** Leaves for this user, on all devices. Nothing more is read. */
  leave(options?: WaitOptions): Promise<void>;

  /** Ends the conversation for everybody. What was said stays readable. */
  end(options?: WaitOptions): Promise<void>;
}
