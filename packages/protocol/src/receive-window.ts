// What this side allows its peer on one channel of one transaction, and what it owes for what it has dealt with. Gives
// back in steps of half the window, so that one FLOW_UPDATE answers many messages. Never sends or waits. Spec: §5.2.

import { type FlowCredit, FlowWindow } from './flow-window.ts';

export class ReceiveWindow {
  readonly #initial: FlowCredit;
  /** What the peer may still send, as it counts itself. */
  readonly #left: FlowWindow;
  #messages = 0;
  #bytes = 0;

  constructor(initial: FlowCredit) {
    this.#initial = initial;
    this.#left = new FlowWindow(initial);
  }

  /** A frame came. False when it was sent beyond the window; it counts all the same. */
  arrive(bytes: number): boolean {
    const { isOpen } = this.#left;
    this.#left.spend(bytes);
    return isOpen;
  }

  /** A frame is off the hands of whoever it waited for. True when it is time to {@link giveBack}. */
  taken(bytes: number): boolean {
    this.#messages++;
    this.#bytes += bytes;
    return this.#messages * 2 >= this.#initial.messages || this.#bytes * 2 >= this.#initial.bytes;
  }

  /** What to grant the peer for all that was taken since the last time; undefined when that is nothing. */
  giveBack(): FlowCredit | undefined {
    const [messages, bytes] = [this.#messages, this.#bytes];
    if (messages === 0) return undefined;
    this.#messages = 0;
    this.#bytes = 0;
    this.#left.grant(messages, bytes);
    return { messages, bytes };
  }
}
