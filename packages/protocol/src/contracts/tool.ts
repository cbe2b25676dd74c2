import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Conversation } from '../conversation.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { HAIPUser } from './authenticator.ts';
import type { Entry } from './history-store.ts';

/** Audio as a tool or an application gets it. */
export interface AudioMessage {
  readonly bytes: Uint8Array;
  /** Say `audio/webm;codecs=opus`. */
  readonly mime: string;
  readonly durationMs?: number | undefined;
}

/** Streams one message's text. Each write is stored before it is seen by anyone. */
export interface MessageWriter {
  /** The message's id, the same for all its parts. */
  readonly messageId: string;
  /** Appends text. Resolves when it is stored. Rejects with the signal's reason once the turn is over. */
  write(text: string): Promise<void>;
  /** Closes the message. What was written stays, whatever happens before. Safe to call twice. */
  end(status?: string): Promise<void>;
}

/** One message from a person, and the means to answer it. */
export interface Turn {
  /** The id of the message being answered: an idempotency key for side effects, since a turn may run twice after a crash. */
  readonly id: string;
  readonly transaction: string;
  /** Who wrote it. `claims` are there while the user is connected to this node. */
  readonly user: Pick<HAIPUser, 'id' | 'claims'>;
  /** What the transaction was started with. */
  readonly params: JsonValue;
  /** The message itself, as stored. */
  readonly message: Entry;
  /** Aborted when the transaction ends, the time for a turn is over, or the server closes. */
  readonly signal: AbortSignal;
  /** The conversation within the window, this message included. */
  conversation(): Promise<Conversation>;
  /** Sends one whole message. A tool that only does this makes one entry and no run. */
  reply(payload: JsonValue): Promise<void>;
  /** Sends one piece of audio. */
  replyAudio(audio: AudioMessage): Promise<void>;
  /** Begins a message whose text comes bit by bit. What is still open when the turn ends is closed. */
  stream(options?: { readonly author?: string | undefined }): Promise<MessageWriter>;
}

/** What a transaction talks to. Whatever it throws ends its own turn with RUN_ERROR and nothing else. */
export interface Tool<Input = JsonValue> {
  /** Clients start it by this name: an id. */
  readonly name: string;
  readonly description?: string | undefined;
  /** Any Standard Schema for a message's payload; what does not fit is refused with INVALID_PAYLOAD. Default: any JSON. */
  readonly input?: StandardSchemaV1<unknown, Input> | undefined;
  /** The input as JSON Schema, for TOOL_SCHEMA. Default: what the schema itself offers, or `{}`. */
  readonly inputJsonSchema?: JsonObject | undefined;
  /** Answers a message. A streamed message arrives once, whole, as its text. */
  onMessage?(turn: Turn, input: Input): void | Promise<void>;
  onAudio?(turn: Turn, audio: AudioMessage): void | Promise<void>;
}
