// One conversation as an application uses it: sends, listens, loops, replays. A thin face of the reader and the
// outbox; keeps nothing of its own.

import {
  type AudioMessage,
  type Conversation,
  type ConversationEntry,
  type ConversationMessage,
  isMime,
  type JsonObject,
  type JsonValue,
  type MessageWriter,
} from '@haip/protocol';
import { ClientError } from './errors.ts';
import { jsonCopy } from './json-copy.ts';
import type { Draft, Outgoing, SendResult } from './outgoing.ts';
import type { Reader } from './reader.ts';
import { type ReplayParts, replayWindow } from './replay.ts';
import type { Cursor, TransactionEvent, TransactionEvents } from './transaction-events.ts';

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

export interface TransactionParts extends ReplayParts {
  /** Lets what comes find the reader, though the transaction may be closed. */
  readonly keep: () => void;
  /** Ends that, unless the transaction is open or still replayed. */
  readonly letGo: () => void;
}

type Message = Pick<Draft, 'type' | 'payload' | 'bytes' | 'mime'> & { readonly id?: string };

/** A conversation. Made by `HAIPClient.startTransaction` and `joinTransaction`. */
export class Transaction {
  readonly #parts: TransactionParts;
  readonly #reader: Reader;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#reader = parts.reader;
  }

  get id(): string {
    return this.#reader.transaction;
  }

  /** What people see: a new object at each change. */
  get conversation(): Conversation {
    return this.#reader.conversation;
  }

  /** Own messages that have no place in the conversation yet, in the order they were sent. */
  get pending(): readonly PendingMessage[] {
    const pending: PendingMessage[] = [];
    for (const { draft, refusedBy, abandoned } of this.#reader.own.values()) {
      const { id, type, payload, bytes } = draft;
      if (!abandoned && (type === 'MESSAGE' || type === 'AUDIO')) pending.push({ id, type, payload, bytes, refusedBy });
    }
    return pending;
  }

  /** Where to go on from, say after a reload: give it to `joinTransaction`. Moves when the listeners have returned. */
  get cursor(): Cursor {
    return { epoch: this.#reader.epoch ?? '', position: this.#reader.position };
  }

  /** Why nothing more will come, or undefined while something may. */
  get closed(): { readonly reason: Error | undefined } | undefined {
    return this.#reader.closed;
  }

  /** Calls `listener` at each event of that name until the function it gives is called. What it throws is logged. */
  on<Name extends keyof TransactionEvents>(name: Name, listener: (value: TransactionEvents[Name]) => void): () => void {
    return this.#reader.events.on(name, listener);
  }

  /** Sends a message that is plain text. See {@link send}. */
  sendText(text: string, options: WaitOptions = {}): Promise<SendResult> {
    return this.send(text, options);
  }

  /**
   * Sends a message. Resolves when it is in the log; over any number of reconnects it is there once.
   *
   * An abort before it was written takes it back; after that it rejects with UnknownOutcomeError.
   * @throws RefusedError when the server refused it for good: it was not stored.
   * @throws UnknownOutcomeError when nobody can say any more whether it was stored.
   * @throws ClosedError once the transaction or the client is closed.
   */
  send(payload: Exclude<JsonValue, null>, options: WaitOptions = {}): Promise<SendResult> {
    return this.#send({ type: 'MESSAGE', payload }, options.signal);
  }

  /** Sends audio: the bytes beside the envelope where the transport can, else inside it. Outcome as of {@link send}. */
  async sendAudio({ bytes, mime, durationMs }: AudioMessage, options: WaitOptions = {}): Promise<SendResult> {
    if (!isMime(mime)) throw new TypeError('mime: expected a media type, say audio/webm;codecs=opus');
    return this.#send(
      { type: 'AUDIO', payload: { mime, duration_ms: durationMs }, bytes: bytes.slice(), mime },
      options.signal,
    );
  }

  /** Begins a message whose text is sent bit by bit, each part stored before the next is due. */
  stream(options: WaitOptions & { readonly author?: string } = {}): MessageWriter {
    const { author, signal } = options;
    const messageId = this.#parts.ids();
    if (this.#reader.plain !== undefined) return this.#bufferedStream(messageId, signal);
    const send = (type: string, fields: JsonObject): Promise<SendResult> =>
      this.#send({ type, payload: { message_id: messageId, ...fields } }, signal);
    const started = send('MESSAGE_START', { author });
    // Whoever writes or ends hears of it.
    started.catch(() => {});
    let ended: Promise<unknown> | undefined;
    return {
      messageId,
      async write(text) {
        if (ended !== undefined) throw new ClientError('ended', 'The message was ended.');
        await Promise.all([started, send('MESSAGE_PART', { text })]);
      },
      async end(status) {
        ended ??= Promise.all([started, send('MESSAGE_END', { status })]);
        await ended;
      },
    };
  }

  /** A plain v1 server knows no streams: the text goes as one message. */
  #bufferedStream(messageId: string, signal: AbortSignal | undefined): MessageWriter {
    let text = '';
    let ended: Promise<unknown> | undefined;
    return {
      messageId,
      async write(more) {
        text += more;
      },
      end: async () => {
        ended ??=
          text === '' ? Promise.resolve() : this.#send({ type: 'MESSAGE', payload: text, id: messageId }, signal);
        await ended;
      },
    };
  }

  /**
   * Whole messages of others as they complete, beginning with those no earlier loop was given. A loop that is left is
   * cleaned up; ends when the transaction does.
   */
  messages(options: WaitOptions = {}): AsyncIterableIterator<ConversationMessage, undefined> {
    return this.#reader.loops.messages(options.signal);
  }

  /**
   * Entries, gaps and restarts from now on, as they are handed over.
   * @throws ClientError with code `too_slow` in a loop that is 10,000 items behind.
   */
  entries(options: WaitOptions = {}): AsyncIterableIterator<TransactionEvent, undefined> {
    return this.#reader.loops.events(options.signal);
  }

  /**
   * The stored entries from position `from` to `to`, both included, as the log has them; own messages too. Without
   * `from` it begins with the first that is kept, without `to` it ends at what this client has read.
   * @throws ReplayTooOldError naming the first position that is kept, when the range begins before it.
   */
  async *getReplayWindow(
    from?: number,
    to?: number,
    options: WaitOptions = {},
  ): AsyncGenerator<ConversationEntry, void, undefined> {
    if (this.#reader.plain) throw new ClientError('unsupported', 'A plain v1 server keeps no history to read.');
    const reader = this.#reader;
    this.#parts.keep();
    reader.replays++;
    try {
      yield* replayWindow(this.#parts, from, to, options.signal);
    } finally {
      reader.replays--;
      this.#parts.letGo();
    }
  }

  /** Leaves the conversation: it goes on without this user, and nothing more of it comes here. */
  async leave(options: WaitOptions = {}): Promise<void> {
    if (!this.#reader.plain) await this.#send({ type: 'TRANSACTION_LEAVE', payload: {} }, options.signal);
    this.#reader.close();
  }

  /** Ends the conversation for everybody. What was said stays readable. */
  async end(options: WaitOptions = {}): Promise<void> {
    if (this.#reader.plain) this.#reader.close();
    else await this.#send({ type: 'TRANSACTION_END', payload: {} }, options.signal);
  }

  async #send(message: Message, signal: AbortSignal | undefined): Promise<SendResult> {
    const { outbox, ids } = this.#parts;
    const reader = this.#reader;
    if (reader.closed !== undefined) throw reader.closedError();
    const changed = (item: Outgoing): void => {
      const left = outbox.get(item.draft.id) === undefined;
      // What was settled waits for its receipt; what left the outbox otherwise will have none.
      if (item.settled && reader.plain) return reader.placePlain(item);
      if (left && !item.settled) reader.own.delete(item.draft.id);
      reader.changed();
    };
    const queued = (item: Outgoing): void => void reader.own.set(item.draft.id, item);
    const payload = jsonCopy(message.payload);
    const item = outbox.add(
      { id: ids(), transaction: reader.transaction, queued, changed, ...message, payload },
      signal,
    );
    reader.changed();
    return item.outcome;
  }
}
