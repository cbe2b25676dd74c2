// What the peer allows in one transaction, channel by channel, or in each transaction. A channel that nobody named yet
// has a window too: the one that all began with, and what was granted to each since. Never sends or waits. Spec: §5.2.

import { type FlowCredit, FlowWindow } from './flow-window.ts';

/** Channels that a peer may name before it is told that these are too many. */
const MOST_NAMED = 64;

export class SendWindows {
  readonly #others: FlowWindow;
  readonly #named = new Map<string, FlowWindow>();

  constructor(initial: FlowCredit) {
    this.#others = new FlowWindow(initial);
  }

  /** The window of a channel. */
  of(channel: string): FlowWindow {
    let window = this.#named.get(channel);
    if (window === undefined) {
      window = copyOf(this.#others);
      this.#named.set(channel, window);
    }
    return window;
  }

  /** Whether the peer may name that channel: so many are counted apart, and no more. */
  mayName(channel: string): boolean {
    return this.#named.size < MOST_NAMED || this.#named.has(channel);
  }

  /** @param channel absent: each channel, those nobody named yet included. */
  grant(channel: string | undefined, messages: number, bytes: number): void {
    if (channel !== undefined) return this.of(channel).grant(messages, bytes);
    this.#others.grant(messages, bytes);
    for (const window of this.#named.values()) window.grant(messages, bytes);
  }

  pause(channel: string, paused: boolean): void {
    this.of(channel).paused = paused;
  }

  /** The same windows once more, for a transaction that begins with what holds for each. */
  copy(): SendWindows {
    const copy = new SendWindows(this.#others);
    for (const [channel, window] of this.#named) copy.#named.set(channel, copyOf(window));
    return copy;
  }
}

function copyOf(window: FlowWindow): FlowWindow {
  const copy = new FlowWindow(window);
  copy.paused = window.paused;
  return copy;
}
