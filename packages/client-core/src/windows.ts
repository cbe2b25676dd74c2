// The windows of one connection, as numbers: what the server still takes of this client, and what this client owes the
// server for what the application consumed. Never sends or waits. Spec: §5.2.

import { channels, type Envelope, type Received } from '@haip/protocol';

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

/** A number of messages and of bytes: what may still be sent, or what is owed. */
interface Credit {
  messages: number;
  bytes: number;
}

interface Window extends Credit {
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

/** What was consumed and not yet granted to the server again, by transaction and channel. */
export class Consumption {
  readonly #owed = new Map<string, Credit>();
  readonly #options: WindowOptions;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** What to grant, now that one more was consumed: all that is owed once it is half a window, else nothing. */
  add({ envelope: { transaction, channel }, size }: Received): Credit | undefined {
    const key = `${transaction} ${channel}`;
    const owed = this.#owed.get(key) ?? { messages: 0, bytes: 0 };
    owed.messages++;
    owed.bytes += size;
    const { windowMessages, windowBytes } = this.#options;
    const isDue = owed.messages * 2 >= windowMessages || owed.bytes * 2 >= windowBytes;
    if (isDue) this.#owed.delete(key);
    else this.#owed.set(key, owed);
    return isDue ? owed : undefined;
  }
}
