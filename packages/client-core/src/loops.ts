// The loops an application runs over a transaction: each is given everything from its beginning on. Whole messages of
// others that no loop was there for are kept for the next one.

import type { Conversation, ConversationEntry, ConversationMessage } from '@haip/protocol';
import { PullQueue } from './pull-queue.ts';
import { textField } from './text-field.ts';
import type { TransactionEvent } from './transaction-events.ts';

/** Most entries a loop may be behind. */
const MOST_HELD = 10_000;

/** Types that can make a message whole. */
const completing: readonly string[] = ['MESSAGE', 'MESSAGE_END', 'AUDIO', 'TRANSACTION_END'];

export class Loops {
  readonly #events = new Set<PullQueue<TransactionEvent>>();
  readonly #messages = new Set<PullQueue<ConversationMessage>>();
  #unclaimed: ConversationMessage[] = [];
  /** Set once nothing more will come. */
  #ended: { readonly reason: Error | undefined } | undefined;

  pushEvent(event: TransactionEvent): void {
    for (const loop of this.#events) loop.push(event);
  }

  /** Gives the messages that this entry made whole. */
  pushMessages(before: Conversation, { messages }: Conversation, { type, id, payload }: ConversationEntry): void {
    if (!completing.includes(type)) return;
    const open = before.messages.filter(({ status }) => status === 'open').map((message) => message.id);
    const named = type === 'MESSAGE' ? id : (textField(payload, 'message_id') ?? id);
    const completed = type === 'TRANSACTION_END' ? open : [named];
    for (const message of messages) {
      if (message.status === 'open' || !completed.includes(message.id)) continue;
      if (this.#messages.size === 0) this.#unclaimed.push(message);
      for (const loop of this.#messages) loop.push(message);
    }
  }

  /** What was kept is of a log that is no more. */
  forget(): void {
    this.#unclaimed = [];
  }

  /** Ends every loop after what it holds. */
  end(reason: Error | undefined): void {
    this.#ended = { reason };
    for (const loop of [...this.#events, ...this.#messages]) loop.end(reason);
  }

  events(signal: AbortSignal | undefined): PullQueue<TransactionEvent> {
    return this.#add(this.#events, { signal, limit: MOST_HELD }, () => {});
  }

  messages(signal: AbortSignal | undefined): PullQueue<ConversationMessage> {
    const items = this.#unclaimed;
    this.#unclaimed = [];
    return this.#add(this.#messages, { signal, items }, (left) => {
      if (this.#messages.size === 0) this.#unclaimed.unshift(...left);
    });
  }

  #add<T>(
    loops: Set<PullQueue<T>>,
    options: { signal: AbortSignal | undefined; limit?: number; items?: T[] },
    returned: (left: T[]) => void,
  ): PullQueue<T> {
    const loop = new PullQueue<T>({
      ...options,
      released(queue, left) {
        loops.delete(queue);
        returned(left);
      },
    });
    if (options.signal?.aborted !== true) loops.add(loop);
    if (this.#ended !== undefined) loop.end(this.#ended.reason);
    return loop;
  }
}
