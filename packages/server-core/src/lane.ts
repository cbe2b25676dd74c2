// What one connection has going on in one transaction: jobs in order, and the participation once the log is open.

import type { Participation } from './participation.ts';
import { SerialQueue } from './serial-queue.ts';

export class Lane {
  readonly transaction: string;
  readonly queue: SerialQueue;
  participation: Participation | undefined;
  /** Bytes of the messages that wait in the queue. */
  queuedBytes = 0;

  constructor(transaction: string, failed: (error: unknown) => void) {
    this.transaction = transaction;
    this.queue = new SerialQueue(failed);
  }
}
