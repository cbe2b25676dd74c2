// Keeps what was sent until the server has settled it, in the author's order, and sends it again under the same id
// where that is right. Only `ack` empties it of messages, only an answer of requests; whatever else leaves it is told
// so. Owns the timers of its own retries. Spec: §3.

import type { Clock, Envelope, Random, Timer } from '@haip/protocol';
import { ClientError, ClosedError, type RefusedError, UnknownOutcomeError } from './errors.ts';
import { type Draft, Outgoing } from './outgoing.ts';
import { type DelayRange, reconnectDelay } from './reconnect-delay.ts';
import type { Session } from './session.ts';

export interface OutboxOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly delays: DelayRange;
}

/** All that a plain v1 server is sent besides what the connection itself says. */
const plainTypes: readonly string[] = ['TRANSACTION_START', 'MESSAGE', 'AUDIO'];

/** What waits when a message is refused for now: its transaction's messages; a request only itself. */
function lane({ draft }: Outgoing): string {
  return draft.answered === undefined ? `/${draft.transaction}` : draft.id;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Everything not settled, in the author's order. */
  readonly #items = new Map<string, Outgoing>();
  /** What was written on this connection and is not settled, by rising number. */
  readonly #written = new Map<number, Outgoing>();
  /** What waits to be written, in the author's order. */
  #queue: Outgoing[] = [];
  readonly #held = new Map<string, Timer>();
  #session: Session | undefined;
  #flushing = false;
  #order = 0;
  /** False while nothing is taken: the client is not connecting, nor meant to. */
  open = false;
  /** For how long after it was first written the server knows an id again. Default 10 min; the server's HAI says. */
  retryWithinMs = 600_000;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many messages and requests are not settled. */
  get size(): number {
    return this.#items.size;
  }

  get(id: string): Outgoing | undefined {
    return this.#items.get(id);
  }

  /** The request of that type with that reference id, else the oldest: for servers whose answers do not name it. */
  oldest(type: string, reference?: string): Outgoing | undefined {
    const items = [...this.#items.values()].filter(({ draft }) => draft.type === type);
    return items.find(({ draft }) => draft.transaction === reference) ?? items[0];
  }

  /** Takes a message and writes it as soon as it may be. An abort before that removes it. */
  add(draft: Draft, signal?: AbortSignal): Outgoing {
    signal?.throwIfAborted();
    if (!this.open) throw new ClosedError('The client');
    const item = new Outgoing(draft, ++this.#order);
    this.#items.set(draft.id, item);
    if (signal !== undefined) {
      const stop = (): void => this.#abort(item, signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      item.stopListening = () => signal.removeEventListener('abort', stop);
    }
    draft.queued?.(item);
    const session = this.#session;
    if (session === undefined || session.full || this.#flushing || this.#held.has(lane(item))) this.#queue.push(item);
    else this.#write(item, session);
    return item;
  }

  /** A connection is there: what is not settled goes out first, under the same ids and new numbers. */
  attach(session: Session): void {
    this.#session = session;
    this.flush();
  }

  /** The connection is gone. */
  detach(): void {
    this.#session = undefined;
    this.#written.clear();
    for (const timer of this.#held.values()) timer.cancel();
    this.#held.clear();
    for (const item of [...this.#items.values()]) {
      item.number = 0;
      if (item.abandoned) this.#remove(item);
    }
    this.#queue = [...this.#items.values()];
  }

  /** Writes what may be written. */
  flush(): void {
    const session = this.#session;
    if (session === undefined || this.#flushing) return;
    this.#flushing = true;
    const kept: Outgoing[] = [];
    // By index: what is added meanwhile is behind in order, and must stay so.
    for (let i = 0; i < this.#queue.length; i++) {
      const item = this.#queue[i] as Outgoing;
      if (this.#items.get(item.draft.id) !== item) continue;
      if (session.full || this.#held.has(lane(item))) kept.push(item);
      else this.#write(item, session);
      if (this.#session !== session) break;
    }
    if (this.#session === session) this.#queue = kept;
    this.#flushing = false;
  }

  #write(item: Outgoing, session: Session): void {
    if (session.plain && !plainTypes.includes(item.draft.type)) {
      item.reject(new ClientError('unsupported', `A plain v1 server does not know ${item.draft.type}.`));
      return this.#remove(item);
    }
    const { clock } = this.#options;
    const at = { now: clock.now(), monotonic: clock.monotonic() };
    const { now, monotonic } = item.firstWritten ?? at;
    const isMessage = item.draft.answered === undefined;
    if (isMessage && Math.max(at.now - now, at.monotonic - monotonic) > this.retryWithinMs) {
      this.#giveBack(item, undefined);
      // After its ERROR the server waits for this id and refuses all others; only a new connection ends that.
      if (item.refusals > 0) session.end('resume');
      return;
    }
    item.firstWritten ??= at;
    item.refusedBy = undefined;
    item.draft.written?.();
    item.number = session.write(item.draft, item.channel);
    this.#written.set(item.number, item);
    if (session.plain) this.settle(item.number);
  }

  /** The server's `ack`: all that this connection sent up to that number is settled, save what it refused for now. */
  settle(upTo: number): void {
    for (const [number, item] of this.#written) {
      if (number > upTo) break;
      this.#written.delete(number);
      if (item.draft.answered !== undefined) continue;
      item.resolve();
      this.#remove(item);
    }
  }

  /** The server's answer to a request. False when there is no such request. */
  answer(id: string | undefined, envelope: Envelope): boolean {
    const item = id === undefined ? undefined : this.#items.get(id);
    if (item?.draft.answered === undefined) return false;
    if (!item.abandoned) item.draft.answered(envelope);
    item.resolve();
    this.#remove(item);
    return true;
  }

  /** The server's ERROR for a message. False when it is none of these. */
  refuse(id: string | undefined, error: RefusedError): boolean {
    const item = id === undefined ? undefined : this.#items.get(id);
    if (item === undefined) return false;
    if (!error.retry) {
      item.reject(error);
      this.#remove(item);
      return true;
    }
    item.refusals++;
    item.refusedBy = error.code;
    if (item.abandoned) {
      this.#remove(item);
      if (item.draft.answered === undefined) this.#session?.end('resume');
      return true;
    }
    this.#hold(item);
    item.draft.changed?.(item);
    return true;
  }

  /** Takes back a refused message and all later ones of its lane, which the server refuses too; they go again later. */
  #hold(refused: Outgoing): void {
    const key = lane(refused);
    for (const [number, item] of this.#written) {
      if (lane(item) !== key || item.order < refused.order) continue;
      this.#written.delete(number);
      item.number = 0;
      this.#queue.push(item);
    }
    this.#queue.sort((a, b) => a.order - b.order);
    if (this.#held.has(key)) return;
    const { clock, random, delays } = this.#options;
    const delayMs = reconnectDelay(refused.refusals, random, delays);
    const release = (): void => {
      this.#held.delete(key);
      this.flush();
    };
    this.#held.set(key, clock.timer(delayMs, release));
  }

  #abort(item: Outgoing, reason: unknown): void {
    if (item.firstWritten === undefined) {
      item.reject(reason);
      this.#remove(item);
    } else if (item.draft.answered !== undefined) {
      item.reject(reason);
      item.abandoned = true;
    } else if (item.refusedBy !== undefined) {
      item.reject(reason);
      this.#remove(item);
      this.#session?.end('resume');
    } else {
      item.reject(new UnknownOutcomeError(item.draft.id, reason));
      item.abandoned = true;
      item.draft.changed?.(item);
    }
    if (item.abandoned && item.number === 0) this.#remove(item);
  }

  /** Gives back what was ever written: after a close that says the server choked on something. */
  giveBackWritten(cause: unknown): void {
    for (const item of [...this.#items.values()]) {
      if (item.firstWritten !== undefined) this.#giveBack(item, cause);
    }
  }

  /** Gives back everything, or everything of one transaction, which is closed. */
  close(cause: unknown, transaction?: string): void {
    for (const item of [...this.#items.values()]) {
      if (transaction !== undefined && item.draft.transaction !== transaction) continue;
      this.#giveBack(item, cause);
    }
  }

  #giveBack(item: Outgoing, cause: unknown): void {
    const isOpen = item.firstWritten !== undefined && item.draft.answered === undefined;
    item.reject(isOpen ? new UnknownOutcomeError(item.draft.id, cause) : cause);
    this.#remove(item);
  }

  #remove(item: Outgoing): void {
    this.#items.delete(item.draft.id);
    this.#written.delete(item.number);
    item.stopListening?.();
    item.draft.changed?.(item);
  }
}
