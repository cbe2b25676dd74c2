// The windows of one connection, as numbers: what the server still takes of this client. Never sends or waits. Spec: §5.2.

import { channels, type Envelope } from '@haip/protocol';

export interface WindowOptions {
  /** Entries that the server may send in each transaction and channel before one was consumed. Default 1,024. */
  readonly windowMessages: number;
  /** Their bytes. Default 1 MiB. An entry goes while both are positive, so one may be larger than what is left. */
  readonly windowBytes: number;
}

/** What HAI says of windows under `capabilities`: `true` stands for the defaults. */
export type FlowControl = true | { readonly initial_credit_messages?: number; readonly initial_credit_bytes?: number };

export const defaultWindow: WindowOptions = { windowMessages: 1024, windowBytes: 1024 * 1024 };

/** What may still be sent. */
interface Window {
  messages: number;
  bytes: number;
  isPaused?: boolean;
}

interface FlowFields {
  readonly channel?: string;
  readonly add_messages?: number;
  readonly add_bytes?: number;
}

/**
 * What a server lets this client write in each transaction, and under `undefined` what one begins with that was not written
 * in yet. A client writes on one channel only.
 */
export type SendWindows = Map<string | null | undefined, Window>;

export function sendWindows(offer: FlowControl): SendWindows {
  const { windowMessages, windowBytes } = defaultWindow;
  const { initial_credit_messages: messages = windowMessages, initial_credit_bytes: bytes = windowBytes } =
    offer as Exclude<FlowControl, true>;
  return new Map([[undefined, { messages, bytes }]]);
}

function windowOf(windows: SendWindows, transaction: string | null): Window {
  const window = windows.get(transaction) ?? { ...(windows.get(undefined) as Window) };
  windows.set(transaction, window);
  return window;
}

export function isOpen(windows: SendWindows, transaction: string | null): boolean {
  const { messages, bytes, isPaused } = windowOf(windows, transaction);
  return messages > 0 && bytes > 0 && !isPaused;
}

export function spend(windows: SendWindows, transaction: string | null, bytes: number): void {
  const window = windowOf(windows, transaction);
  window.messages--;
  window.bytes -= bytes;
}

/** A FLOW_UPDATE, PAUSE_CHANNEL or RESUME_CHANNEL of the server. Without a transaction it is meant for each. */
export function changeWindows(windows: SendWindows, { type, transaction, payload }: Envelope): void {
  const { channel = channels.user, add_messages = 0, add_bytes = 0 } = payload as FlowFields;
  if (channel !== channels.user) return;
  for (const window of transaction === null ? windows.values() : [windowOf(windows, transaction)]) {
    window.messages += add_messages;
    window.bytes += add_bytes;
    if (type !== 'FLOW_UPDATE') window.isPaused = type === 'PAUSE_CHANNEL';
  }
}
