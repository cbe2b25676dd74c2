// The windows of one connection, as numbers: what the server still takes of this client. Never sends or waits. Spec: §5.2.

import { channels, type Envelope } from '@haip/protocol';

export interface WindowOptions {
  /** Entries that the server may send in each transaction and channel before one was consumed. Default 1,024. */
  readonly windowMessages: number;
  /** Their bytes. Default 1 MiB. An entry goes while both are positive, so one may be larger than what is left. */
  readonly windowBytes: number;
}

/** What HAI says of windows under `capabilities`: `true` stands for the defaults. */
export type FlowControl =
  | boolean
  | { readonly initial_credit_messages?: number; readonly initial_credit_bytes?: number };

export const defaultWindow: WindowOptions = { windowMessages: 1024, windowBytes: 1024 * 1024 };

/** What may still be sent. */
interface Window {
  messages: number;
  bytes: number;
  paused: boolean;
}

interface FlowFields {
  readonly channel?: string;
  readonly add_messages?: number;
  readonly add_bytes?: number;
}

/** What a server lets this client write in each transaction. A client writes on one channel only. */
export class SendWindows {
  /** What a transaction begins with that was not written in yet. */
  readonly #fresh: Window;
  readonly #windows = new Map<string | null, Window>();

  constructor(offer: Exclude<FlowControl, false>) {
    const { initial_credit_messages: messages, initial_credit_bytes: bytes } = offer === true ? {} : offer;
    const { windowMessages, windowBytes } = defaultWindow;
    this.#fresh = { messages: messages ?? windowMessages, bytes: bytes ?? windowBytes, paused: false };
  }

  #of(transaction: string | null): Window {
    const window = this.#windows.get(transaction) ?? { ...this.#fresh };
    this.#windows.set(transaction, window);
    return window;
  }

  isOpen(transaction: string | null): boolean {
    const { messages, bytes, paused } = this.#of(transaction);
    return messages > 0 && bytes > 0 && !paused;
  }

  spend(transaction: string | null, bytes: number): void {
    const window = this.#of(transaction);
    window.messages--;
    window.bytes -= bytes;
  }

  /** A FLOW_UPDATE, PAUSE_CHANNEL or RESUME_CHANNEL of the server. Without a transaction it is meant for each. */
  change({ type, transaction, payload }: Envelope): void {
    const { channel = channels.user, add_messages = 0, add_bytes = 0 } = payload as FlowFields;
    if (channel !== channels.user) return;
    const meant = transaction === null ? [this.#fresh, ...this.#windows.values()] : [this.#of(transaction)];
    for (const window of meant) {
      window.messages += add_messages;
      window.bytes += add_bytes;
      if (type !== 'FLOW_UPDATE') window.paused = type === 'PAUSE_CHANNEL';
    }
  }
}
