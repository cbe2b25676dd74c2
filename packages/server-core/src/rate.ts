// How much one connection may send: messages by number, sound and what a replay brings by bytes. What is too much is
// refused for now; whoever goes on is let go. Spec: §6.4; attacks A29, A30, A33.

import { Fault, type Incoming } from '@haip/protocol';
import { ErrorBudget } from './error-budget.ts';
import type { ServerLimits } from './limits.ts';
import { RateLimited } from './rate-limited.ts';
import { TokenBucket } from './token-bucket.ts';

/** However little sound is in an envelope, it is one to be read, stored and sent. */
const LEAST = 0.1;
/** What an entry of a log counts that a JOIN brings. */
const ENTRY_BYTES = 1024;

export class Rate {
  readonly #limits: ServerLimits;
  readonly #bucket: TokenBucket;
  #refusals: ErrorBudget | undefined;
  #now: number;

  constructor(limits: ServerLimits, nowMs: number) {
    this.#limits = limits;
    this.#bucket = new TokenBucket(limits.messagesPerSecond, limits.messagesBurst, nowMs);
    this.#now = nowMs;
  }

  /** To be told the time once for all that came with one read. */
  refill(nowMs: number): void {
    this.#now = nowMs;
    this.#bucket.refill(nowMs);
  }

  /** Counts what came. RATE_LIMITED when it is too much, with `close` once that was said too often. */
  take(incoming: Incoming): Fault | undefined {
    return this.#bucket.take(this.#cost(incoming)) ? undefined : this.#refuse();
  }

  #cost(incoming: Incoming): number {
    if (incoming instanceof Fault || !incoming.envelope.type.startsWith('AUDIO')) return 1;
    return Math.max(incoming.size / this.#limits.bytesPerMessage, LEAST);
  }

  #refuse(): Fault {
    const { messagesPerSecond, maxRateRefusals } = this.#limits;
    this.#refusals ??= new ErrorBudget(maxRateRefusals);
    const close = this.#refusals.spend(this.#now) ? undefined : 1008;
    return new RateLimited(`at most ${messagesPerSecond} messages a second`, this.#bucket.waitMs, close);
  }

  /** Counts the bytes that a request brought. */
  oweBytes(bytes: number): void {
    this.#bucket.owe(bytes / this.#limits.bytesPerMessage);
  }

  /** Counts the entries that a JOIN will bring. */
  oweEntries(entries: number): void {
    this.oweBytes(entries * ENTRY_BYTES);
  }
}
