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

/**
 * Streams one message's text. It is stored before it is seen by anyone, in parts: what a turn of the event loop brings is
 * one, and so is what comes while the store is busy. Nothing that the turn says later is stored before it.
 */
export interface MessageWriter {
  /** The message's id, the same for all its parts. */
  readonly messageId: string;
  /**
   * Takes text. Resolves when more is welcome: what was on its way to the store is there, and somebody who reads is near,
   * not all of them 256 entries behind (by default). Rejects with the signal's reason once the turn is over, and with what
   * kept some of the message's text from being stored: no more of it is written then.
   */
  write(text: string): Promise<void>;
  /**
   * Closes the message. Resolves when all its text is stored, rejects with what kept some of it from that; the message is
   * closed all the same, with what is there. Safe to call twice.
   */
  end(status?: string): Promise<void>;
}

/** What ended a call. */
export type CallEnd = 'OK' | 'CANCELLED' | 'ERROR' | 'DENIED' | 'INTERRUPTED';

/** A call of a tool or service that is made while a message is answered, as people see it: how far, with what result. */
export interface Call {
  /** The call's id, the same for all that is said of it. */
  readonly id: string;
  /** Aborted when people cancel the call, when somebody else ended it, and with the turn's own signal. */
  readonly signal: AbortSignal;
  /**
   * Tells how far it is, from 0 to 1, and what of the result is there. Resolves when that is stored; rejects once the
   * call was stopped or has ended.
   */
  progress(progress?: number, partial?: JsonValue): Promise<void>;
  /**
   * Asks people whether to go on; once in a call. Resolves with the first answer in the log: true when approved.
   * Rejects with the signal's reason when the call is stopped before anybody answered.
   *
   * @param question shown to people: a text, or what the application has agreed on
   */
  ask(question: JsonValue): Promise<boolean>;
  /**
   * Ends the call. Resolves when its end is stored, or when somebody else ended it before: the first in the log wins.
   * Safe to call twice.
   *
   * @param status default: `OK`; `DENIED` when people said no; `CANCELLED` or `INTERRUPTED` when it was stopped
   */
  done(result?: JsonValue, status?: CallEnd): Promise<void>;
}

/** Why a signal of a turn or a call is aborted. */
export interface StopReason extends Error {
  /** How much of the answer's audio was played before somebody cancelled it, in ms; where their client said so. */
  readonly heardMs?: number | undefined;
}

export interface StreamOptions {
  /** Who speaks, for people to see. */
  readonly author?: string | undefined;
  /**
   * Whose reading sets the pace of `write()`: that of anybody who is connected, or of who asked alone. Default
   * `'anybody'`. With none of them connected nothing waits.
   */
  readonly pace?: 'anybody' | 'asker' | undefined;
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
  /**
   * Aborted, with a {@link StopReason}, when people cancel the run, the transaction ends, the time for a turn is over,
   * a newer message interrupts it, or the server closes. From then on only open messages and calls can be ended; a tool
   * that is not done 5 s later is given up, and what it still writes is rejected.
   */
  readonly signal: AbortSignal;
  /** The conversation within the window, this message included. */
  conversation(): Promise<Conversation>;
  /**
   * The stored entries from position `from` to `to`, both included, as the log has them; what this turn said so far too.
   * Without `from` it begins with the first that is kept, without `to` it ends where the log does. Each is a copy.
   * @throws RangeError for what is no position; with `code` REPLAY_TOO_OLD and `firstAvailable` when the range begins before
   * what is kept, or while it is read comes to. Error with `code` restarted when the log is another one before it was read.
   */
  getReplayWindow(from?: number, to?: number): AsyncGenerator<Entry, void, undefined>;
  /**
   * Sends one whole message, as it is now. A tool that only does this makes one entry and no run. Rejects with TypeError
   * for what is no JSON value or null, with RangeError for more than readers can be sent (252 KiB as JSON by default):
   * `stream` takes a longer text.
   */
  reply(payload: JsonValue): Promise<void>;
  /** Sends one piece of audio, a copy of its bytes. Rejects with RangeError above the limit, 1 MiB by default. */
  replyAudio(audio: AudioMessage): Promise<void>;
  /**
   * Begins a message whose text comes bit by bit. What is still open when the turn ends is closed. Rejects with TypeError for
   * an author that is no text of at most 128 characters.
   */
  stream(options?: StreamOptions): Promise<MessageWriter>;
  /**
   * Begins a call that people can follow, approve and cancel. What is still open when the turn ends is closed. Params, progress,
   * questions and results have the bounds of `reply`; what is beyond them rejects with TypeError or RangeError and counts as not said.
   *
   * @param tool what is called, at most 128 characters
   */
  call(tool: string, params?: JsonValue): Promise<Call>;
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
  /**
   * What becomes of a message that comes while an earlier one of its transaction is being answered. `queue`: it waits
   * its turn. `interrupt`: the turn that runs is stopped and cancelled; of several that wait only the newest is given
   * to the tool, which finds the others in `turn.conversation()`. `refuse`: it is not stored, but answered
   * RUN_LIMIT_EXCEEDED. Default: `queue`.
   */
  readonly whileRunning?: 'queue' | 'interrupt' | 'refuse' | undefined;
  /** Answers a message. A streamed message arrives once, whole, as its text. */
  onMessage?(turn: Turn, input: Input): void | Promise<void>;
  onAudio?(turn: Turn, audio: AudioMessage): void | Promise<void>;
}
