// One open conversation: what it is at, as one immutable state, and what a person can do in it. It decides nothing that
// the client decides: no retries, no ordering, no dropping of duplicates. It goes on while the page shows another one.

import { RefusedError, ReplayTooOldError, type Transaction, UnknownOutcomeError } from '@haip/client-core';
import { uuidIds } from '@haip/platform';
import { type AudioMessage, isJsonObject } from '@haip/protocol';
import { type FailedMessage, initialTalk, isAnswering, type TalkState } from './chat-state.ts';
import { codeOf } from './error-code.ts';
import { countEntry, countGap, countLoss, emptyTally } from './tally.ts';
import { placeCall } from './timeline.ts';

/** A message that was not stored, as far as that is known. */
export function failedMessage(id: string, text: string, error: unknown): FailedMessage {
  const isTooLarge = error instanceof RefusedError && error.code === 'MESSAGE_TOO_LARGE';
  return { id, text, isUnknown: error instanceof UnknownOutcomeError, isTooLarge };
}

export class Talk {
  /** What somebody began to write here and did not send. */
  draft = '';
  readonly #chat: Transaction;
  readonly #changed: () => void;
  #state = initialTalk;

  /**
   * To be made in the turn in which its transaction opened: else it misses what comes.
   *
   * @param changed called at each change of `state`
   */
  constructor(chat: Transaction, known: Partial<TalkState>, changed: () => void) {
    this.#chat = chat;
    this.#changed = changed;
    chat.on('entry', (entry) => {
      const { tally, callsAt, expiredTo } = this.#state;
      // The first entry of every log is its beginning.
      const isFirst = tally.entries === 0 && tally.position === 0;
      this.change({
        tally: countEntry(tally, entry),
        callsAt: placeCall(callsAt, entry),
        expiredTo: isFirst ? entry.position - 1 : expiredTo,
      });
    });
    chat.on('gap', (gap) => this.change({ tally: countGap(this.#state.tally, gap) }));
    chat.on('restart', () =>
      this.change({ restarted: true, tally: emptyTally, seams: new Map(), callsAt: new Map(), expiredTo: 0 }),
    );
    chat.on('closed', (reason) => this.change({ closed: codeOf(reason) }));
    chat.on('change', () => this.change(this.#read()));
    // What came before the listeners were there is counted as read.
    const { position } = chat.conversation;
    this.#state = {
      ...initialTalk,
      ...known,
      tally: { ...emptyTally, position },
      closed: chat.closed && codeOf(chat.closed.reason),
    };
    this.#state = { ...this.#state, ...this.#read() };
  }

  get transaction(): string {
    return this.#chat.id;
  }

  get state(): TalkState {
    return this.#state;
  }

  /** The server has it no longer, or this page must not read it: to be opened again from the start. */
  get isLost(): boolean {
    return this.#state.closed !== undefined && !this.#state.conversation.ended;
  }

  /** Whether somebody has written a line that can stand for the whole. */
  get hasLine(): boolean {
    return this.#state.conversation.messages.some(({ channel, text }) => channel === 'USER' && text.trim() !== '');
  }

  change(change: Partial<TalkState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed();
  }

  /** Sends a text; shows it as pending until it is in the log. */
  async send(text: string): Promise<void> {
    try {
      await this.#chat.sendText(text);
    } catch (error) {
      this.#fail(text, error);
    }
  }

  /** Sends a piece of audio. What fails is shown like a text that failed, but cannot be sent again. */
  async sendAudio(audio: AudioMessage): Promise<void> {
    try {
      await this.#chat.sendAudio(audio);
    } catch (error) {
      this.#fail('', error);
    }
  }

  /** Sends a message again that failed, as a new one. */
  async sendAgain(message: FailedMessage): Promise<void> {
    this.change({ failed: this.#state.failed.filter((failed) => failed !== message) });
    await this.send(message.text);
  }

  /** Stops the agent, whoever set it to work. While offline that waits for the connection. */
  async stop(): Promise<void> {
    if (this.#state.isStopping || !isAnswering(this.#state)) return;
    this.change({ isStopping: true });
    try {
      await this.#chat.cancel();
    } catch {
      // The conversation shows what became of it: the answer goes on, has ended, or all is closed.
    }
    this.change({ isStopping: false });
  }

  /** Answers a call that asks. Of several answers, from several people, the first in the log counts. */
  async answer(call: string, isApproved: boolean): Promise<void> {
    if (this.#state.answered.has(call)) return;
    this.change({ answered: new Map([...this.#state.answered, [call, isApproved]]) });
    try {
      await this.#chat.approve(call, isApproved);
    } catch {
      // The call shows what became of it; while it still waits it can be answered again.
      this.change({ answered: new Map([...this.#state.answered].filter(([id]) => id !== call)) });
    }
  }

  /** Marks where the connection was lost in the texts that were still coming. */
  countLoss(): void {
    const seams = new Map(this.#state.seams);
    for (const { id, status, text } of this.#chat.conversation.messages) {
      if (status === 'open') seams.set(id, [...(seams.get(id) ?? []), text.length]);
    }
    this.change({ tally: countLoss(this.#state.tally), seams });
  }

  /** The first entry of a log says what it was started with. */
  async findTool(): Promise<void> {
    try {
      for await (const { payload } of this.#chat.getReplayWindow(1, 1)) {
        const name = isJsonObject(payload) ? payload['toolName'] : undefined;
        if (typeof name === 'string') this.change({ tool: name });
      }
    } catch (error) {
      // The page then does without the name.
      if (error instanceof ReplayTooOldError) this.change({ expiredTo: error.firstAvailable - 1 });
    }
  }

  #fail(text: string, error: unknown): void {
    const id = error instanceof UnknownOutcomeError ? error.id : uuidIds();
    this.change({ failed: [...this.#state.failed, failedMessage(id, text, error)] });
  }

  #read(): Partial<TalkState> {
    const { conversation } = this.#chat;
    const pending = this.#chat.pending.map(({ id, payload }) => ({
      id,
      text: typeof payload === 'string' ? payload : '',
    }));
    // What nobody knew of, and turned up in the log after all, has not failed.
    const stored = new Set(conversation.messages.map(({ id }) => id));
    const failed = this.#state.failed.filter(({ id }) => !stored.has(id));
    return { conversation, pending, failed };
  }
}
