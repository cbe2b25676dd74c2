// How many messages and bytes the peer still allows, for one transaction and channel of one connection.
// Pure: never sends or waits. Spec: §5.

export interface FlowWindow {
  readonly messages: number;
  readonly bytes: number;
  readonly paused: boolean;
}

/** The window a connection begins with when HAI names none: 1,024 messages and 1 MiB. */
export const defaultFlowWindow: FlowWindow = { messages: 1024, bytes: 1024 * 1024, paused: false };

/** A message may go while both counts are positive and the channel is not paused. */
export function isOpen(window: FlowWindow): boolean {
  return !window.paused && window.messages > 0 && window.bytes > 0;
}

/** The window after a frame of `bytes` was written. It may fall below zero: a message goes whole or not at all. */
export function spendWindow(window: FlowWindow, bytes: number): FlowWindow {
  return { ...window, messages: window.messages - 1, bytes: window.bytes - bytes };
}

/** The window after FLOW_UPDATE. Grants add up; they stay below 2^53 so that a peer's greed never breaks the count. */
export function grantWindow(window: FlowWindow, messages: number, bytes: number): FlowWindow {
  return {
    ...window,
    messages: Math.min(window.messages + messages, Number.MAX_SAFE_INTEGER),
    bytes: Math.min(window.bytes + bytes, Number.MAX_SAFE_INTEGER),
  };
}

/** The window after PAUSE_CHANNEL or RESUME_CHANNEL. */
export function pauseWindow(window: FlowWindow, paused: boolean): FlowWindow {
  return { ...window, paused };
}
