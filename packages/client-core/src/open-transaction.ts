// One conversation as an application uses it: what it reads (reader.ts), and what it writes. Spec: §2–§4.

import {
  type AudioMessage,
  type ConversationEntry,
  channels,
  isMime,
  type JsonObject,
  type JsonValue,
  type MessageWriter,
} from '@haip/protocol';
import { ClientError, ClosedError } from './errors.ts';
import { jsonCopy } from './fields.ts';
import { type Draft, type SendResult, send } from './outbox.ts';
import { Reader } from './reader.ts';
import { replayWindow } from './replay.ts';
import type { CancelOptions, PendingMessage, Transaction, WaitOptions } from './transaction.ts';

export class OpenTransaction extends Reader implements Transaction {
  /** Channels of which nothing is to be sent. A new connection has to be told. */
  readonly paused = new Set<string>();

  get pending(): readonly PendingMessage[] {
    return this.own
      .filter(({ type, isAbandoned, isRead }) => !isAbandoned && !isRead && (type === 'MESSAGE' || type === 'AUDIO'))
      .map(({ id, type, payload, bytes, refusedBy }) => ({ id, type, payload, bytes, refusedBy }));
  }

  sendText(text: string, options?: WaitOptions): Promise<SendResult> {
    return this.send(text, options);
  }

  send(payload: Exclude<JsonValue, null>, { signal }: WaitOptions = {}): Promise<SendResult> {
    return this.#send('MESSAGE', payload, signal);
  }

  async sendAudio({ bytes, mime, durationMs }: AudioMessage, { signal }: WaitOptions = {}): Promise<SendResult> {
    if (!isMime(mime)) throw new TypeError('mime: expected a media type, say audio/webm;codecs=opus');
    return this.#send('AUDIO', { mime, duration_ms: durationMs }, signal, {
      bytes: new Uint8Array(bytes.subarray()),
      mime,
    });
  }

  stream({ author, signal }: WaitOptions & { readonly author?: string } = {}): MessageWriter {
    const messageId = this.core.settings.ids();
    const send = (type: string, fields: JsonObject): Promise<SendResult> =>
      this.#send(type, { message_id: messageId, ...fields }, signal);
    const started = send('MESSAGE_START', { author });
    // Whoever writes or ends hears of it.
    started.catch(() => {});
    // Nothing is whole with a hole in it.
    let torn: { readonly error: unknown } | undefined;
    const add = async (type: string, fields: JsonObject): Promise<void> => {
      await Promise.all([started, send(type, fields)]).catch((error: unknown) => {
        torn ??= { error };
      });
      if (torn) throw torn.error;
    };
    let ended: Promise<void> | undefined;
    return {
      messageId,
      async write(text) {
        if (ended) throw new ClientError('ended', 'The message was ended.');
        if (torn) throw torn.error;
        await add('MESSAGE_PART', { text });
      },
      async end(status) {
        ended ??= add('MESSAGE_END', { status: torn ? 'interrupted' : status });
        await ended;
      },
    };
  }

  getReplayWindow(
    from?: number,
    to?: number,
    { signal }: WaitOptions = {},
  ): AsyncGenerator<ConversationEntry, void, undefined> {
    return replayWindow(this, this.core, from, to, signal);
  }

  pause(channel: string = channels.agent): void {
    this.paused.add(channel);
    this.tellPaused('PAUSE_CHANNEL', channel);
  }

  resume(channel: string = channels.agent): void {
    if (this.paused.delete(channel)) this.tellPaused('RESUME_CHANNEL', channel);
  }

  /** Tells a server that is there; the next one is told when it is. */
  tellPaused(type: string, channel: string): void {
    this.core.session?.write({ type, transaction: this.id, payload: { channel } });
  }

  async cancel({ run, heardMs, signal }: CancelOptions = {}): Promise<void> {
    const running = run
      ? [run]
      : this.conversation.runs.filter(({ status }) => status === 'RUNNING').map(({ id }) => id);
    await Promise.all(running.map((id) => this.#send('RUN_CANCEL', { run_id: id, heard_ms: heardMs }, signal)));
  }

  async cancelCall(call: string, { reason, signal }: WaitOptions & { readonly reason?: string } = {}): Promise<void> {
    await this.#send('TOOL_CANCEL', { call_id: call, reason }, signal);
  }

  async approve(call: string, isApproved = true, { signal }: WaitOptions = {}): Promise<void> {
    await this.#send('TOOL_UPDATE', { call_id: call, status: isApproved ? 'APPROVED' : 'DENIED' }, signal);
  }

  async leave({ signal }: WaitOptions = {}): Promise<void> {
    await this.#send('TRANSACTION_LEAVE', {}, signal);
    this.close();
  }

  async end({ signal }: WaitOptions = {}): Promise<void> {
    await this.#send('TRANSACTION_END', {}, signal);
  }

  async #send(
    type: string,
    value: JsonValue,
    signal: AbortSignal | undefined,
    more?: Partial<Draft>,
  ): Promise<SendResult> {
    if (this.closed) throw new ClosedError(`Transaction ${this.id} is closed.`, this.closed.reason);
    const draft = { type, transaction: this.id, payload: jsonCopy(value), isEntry: true, ...more };
    return send<SendResult>(this.core, draft, signal);
  }
}
