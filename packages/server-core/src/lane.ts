// What one connection has going on in one transaction: jobs in order, and the participation once the log is open.

import type { Envelope, Fault, ReceiveWindow, SendWindows } from '@haip/protocol';
import { keepsOrder } from './access.ts';
import type { AuthorOrder, Participation } from './participation.ts';
import { SerialQueue } from './serial-queue.ts';

export class Lane implements AuthorOrder {
  readonly transaction: string;
  readonly queue: SerialQueue;
  readonly #sendsAgain: boolean;
  participation: Participation | undefined;
  blocked: AuthorOrder['blocked'];
  /** Messages that wait in the queue and that no window holds back, and their bytes. */
  queued = 0;
  queuedBytes = 0;
  /** What the client allows the reader, once there is one or the client has said so. */
  sending: SendWindows | undefined;
  /** What the client has used of what it is allowed, by channel. */
  receiving: Map<string, ReceiveWindow> | undefined;

  /** @param sendsAgain whether the peer sends again what it may: a plain v1 one never does */
  constructor(transaction: string, sendsAgain: boolean, failed: (error: unknown) => void) {
    this.transaction = transaction;
    this.#sendsAgain = sendsAgain;
    this.queue = new SerialQueue(failed);
  }

  block({ id, type }: Envelope, fault: Fault): void {
    if (this.#sendsAgain && keepsOrder(type)) this.blocked ??= { id, fault };
  }

  /** Nothing is under way here, and nothing more will come by itself: no reader, or one that has read it all. */
  get isOver(): boolean {
    if (!this.queue.idle || this.blocked !== undefined) return false;
    return this.participation?.reader?.isThrough ?? true;
  }

  /** Ends the reading here. Whoever joins again begins with whole windows. */
  stopReading(): void {
    this.participation?.close();
    this.sending = undefined;
  }
}
