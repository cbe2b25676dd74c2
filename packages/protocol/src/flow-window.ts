// How many messages and bytes one side may still send on one channel of one transaction of one connection.
// Counts and nothing else: never sends or waits. Spec: §5.2.
//
// It changes in place: a Map look-up with a spend takes 10 ns, with a new object for each spend 50 (Node 24).

/** A number of messages and of bytes: what a window begins with. */
export interface FlowCredit {
  readonly messages: number;
  readonly bytes: number;
}

/** What a window begins with when HAI names nothing else: 1,024 messages and 1 MiB. */
export const defaultFlowCredit: FlowCredit = { messages: 1024, bytes: 1024 * 1024 };

export class FlowWindow implements FlowCredit {
  messages: number;
  bytes: number;
  /** PAUSE_CHANNEL until RESUME_CHANNEL. */
  paused = false;

  constructor({ messages, bytes }: FlowCredit) {
    this.messages = messages;
    this.bytes = bytes;
  }

  /** A message may go while both counts are positive and the channel is not paused. */
  get isOpen(): boolean {
    return this.messages > 0 && this.bytes > 0 && !this.paused;
  }

  /** A frame of `bytes` was written. The counts may fall below zero: a message goes whole or not at all. */
  spend(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
  }

  /** FLOW_UPDATE. Grants add up; they stay below 2^53 so that a peer's greed never breaks the count. */
  grant(messages: number, bytes: number): void {
    this.messages = Math.min(this.messages + messages, Number.MAX_SAFE_INTEGER);
    this.bytes = Math.min(this.bytes + bytes, Number.MAX_SAFE_INTEGER);
  }
}
