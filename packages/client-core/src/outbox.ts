// Keeps what was sent until the server has settled it, in the author's order, and sends it again under the same id
// where that is right. Only `ack` empties it of messages, only an answer of requests; whatever else leaves it is told
// so. Owns the timers of its own retries. Spec: §3.

import type { ConversationEntry, Envelope, JsonValue, Timer } from '@haip/protocol';
import { ClientError, ClosedError, type RefusedError, UnknownOutcomeError } from './errors.ts';
import type { Settings } from './options.ts';
import type { Reader } from './reader.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import type { Session } from './session.ts';

/** How a message came out: its id, and its position where the receipt named it. */
export interface SendResult {
  readonly id: string;
  readonly position?: number;
}

/** A message, which the log that `reader` reads is to hold; without one a request, which is to be answered. */
export interface Draft {
  /** Default: a new one. */
  readonly id?: string;
  readonly type: string;
  readonly transaction: string | null;
  readonly payload: JsonValue;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
  /** Called with the answer before anything behind it is looked at. */
  readonly answered?: (answer: Envelope, item: Outgoing) => void;
  /** Of a replay: who asks. */
  readonly asker?: Page['asker'];
  /** Told when something becomes of a message: it is taken, settled, refused for now, given up, or leaves the outbox. */
  readonly reader?: Reader;
}

/** A draft underway. */
export interface Outgoing extends Draft {
  readonly id: string;
  reader?: Reader;
  /** Its number on the present connection; 0: not written on it. */
  number: number;
  /** When it was first written, by both clocks: one stands still while a machine sleeps, the other may jump. */
  writtenAt?: { readonly now: number; readonly monotonic: number };
  refusals: number;
  /** The code of the ERROR that asked to try again, until it is written again. */
  refusedBy?: string | undefined;
  /** It is in the log. */
  settled?: boolean;
  /** The highest position it may have, once it is settled and the server named its last. */
  notAbove?: number;
  /** It left the outbox, however that was. */
  gone?: boolean;
  /** Nobody waits for it any more: it is not sent again. */
  abandoned?: boolean;
  resolve(outcome: SendResult | Envelope): void;
  reject(error: unknown): void;
  stopListening?: () => void;
}

/** What a replay is answered with, so far. */
export interface Page {
  readonly entries: ConversationEntry[];
  /** Who asked: what lies beyond its place is not of this page, also when it reads no more. */
  readonly asker: Pick<Reader, 'read'>;
}

export const notConnected = 'Not connected: call connect() first.';

/** All that a plain v1 server is sent besides what the connection itself says. */
const plainTypes: readonly string[] = ['TRANSACTION_START', 'MESSAGE', 'AUDIO'];

const isReplay = ({ type }: Draft): boolean => type === 'REPLAY_REQUEST';

/** What keeps its place among its transaction's messages: all but requests and what must not have to wait. */
const isOrdered = ({ reader, type }: Outgoing): boolean => !!reader && !/_CANCEL$|^TRANSACTION_END$/.test(type);

/** What waits when a message is refused for now: its transaction's messages; anything else only itself. */
const laneOf = (item: Outgoing): string => (isOrdered(item) ? `/${item.transaction}` : item.id);

export class Outbox {
  readonly #settings: Settings;
  /** Told when something is added, first written, or leaves. */
  readonly #changed: () => void;
  /** Everything not settled, in the author's order. */
  readonly items = new Map<string | undefined, Outgoing>();
  /** The lanes that wait until a refusal may have passed. */
  readonly #held = new Map<string, Timer>();
  #isFlushing = false;
  /** The pages that replays are being answered with, by transaction: one at a time in each. */
  readonly pages = new Map<string | null, Page>();
  session: Session | undefined;
  /** False while nothing is taken: the client is not connecting, nor meant to. */
  isOpen = false;
  /** For how long after it was first written the server knows an id again. Default 10 min; the server's HAI says. */
  retryWithinMs = 600_000;

  constructor(settings: Settings, changed: () => void) {
    this.#settings = settings;
    this.#changed = changed;
  }

  /** The START with that reference id, else the oldest: for servers whose answers do not name it. */
  oldestStart(reference?: string): string | undefined {
    const starts = [...this.items.values()].filter(({ type }) => type === 'TRANSACTION_START');
    return (starts.find(({ transaction }) => transaction === reference) ?? starts[0])?.id;
  }

  /**
   * Takes a message or request and writes it as soon as it may be. The promise is the answer of a request, the result
   * of a message. An abort ends the wait; before it was written it takes it back.
   */
  async add<Outcome extends SendResult | Envelope>(draft: Draft, signal: AbortSignal | undefined): Promise<Outcome> {
    signal?.throwIfAborted();
    if (!this.isOpen) throw new ClosedError(notConnected);
    return new Promise<SendResult | Envelope>((resolve, reject) => {
      const item: Outgoing = { id: this.#settings.ids(), ...draft, number: 0, refusals: 0, resolve, reject };
      if (signal) {
        const stop = (): void => this.#abort(item, signal.reason);
        signal.addEventListener('abort', stop);
        item.stopListening = () => signal.removeEventListener('abort', stop);
      }
      this.take(item);
    }) as Promise<Outcome>;
  }

  /** Puts a message or request behind all others. */
  take(item: Outgoing): void {
    this.items.set(item.id, item);
    item.reader?.own.set(item.id, item);
    if (!this.#isFlushing) this.#write(item);
    item.reader?.track(item);
    this.#changed();
  }

  /** Whoever reads that transaction now hears what becomes of what was written before. */
  adopt(reader: Reader): void {
    for (const item of this.items.values()) {
      if (!item.reader || item.transaction !== reader.id) continue;
      item.reader = reader;
      reader.own.set(item.id, item);
    }
  }

  /** The connection is gone. What is not settled goes out first on the next, under the same ids and new numbers. */
  detach(): void {
    this.session = undefined;
    this.pages.clear();
    for (const timer of this.#held.values()) timer.cancel();
    this.#held.clear();
    for (const item of this.items.values()) {
      item.number = 0;
      if (item.abandoned) this.remove(item);
    }
  }

  /** Writes what may be written. */
  flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    // What is added meanwhile comes behind, in its turn.
    for (const item of this.items.values()) this.#write(item);
    this.#isFlushing = false;
  }

  #write(item: Outgoing): void {
    const { session } = this;
    if (!session || session.full || item.number || this.#held.has(laneOf(item))) return;
    if (isReplay(item) && this.pages.has(item.transaction)) return;
    if (session.windows?.isOpen(item.transaction) === false && isOrdered(item)) return;
    if (session.plain && !plainTypes.includes(item.type)) {
      item.reject(new ClientError('unsupported', `The server does not know ${item.type}.`));
      return this.remove(item);
    }
    const { clock } = this.#settings;
    item.writtenAt ??= { now: clock.now(), monotonic: clock.monotonic() };
    if (item.reader && this.isTooOld(item)) {
      this.#giveBack(item);
      return this.#giveUp(item);
    }
    item.refusedBy = undefined;
    if (item.asker) this.pages.set(item.transaction, { entries: [], asker: item.asker });
    item.number = session.write(item);
    this.#changed();
    if (session.plain) this.settle(item.number);
  }

  /** Whether it was first written so long ago that the server may not know its id again. */
  isTooOld({ writtenAt }: Outgoing): boolean {
    if (!writtenAt) return false;
    const { clock } = this.#settings;
    return Math.max(clock.now() - writtenAt.now, clock.monotonic() - writtenAt.monotonic) > this.retryWithinMs;
  }

  /** The server's `ack`: all that this connection sent up to that number is settled, save what it refused for now. */
  settle(upTo: number): void {
    for (const item of this.items.values()) {
      if (!item.reader || !item.number || item.number > upTo) continue;
      item.settled = true;
      item.resolve({ id: item.id });
      this.remove(item);
    }
  }

  /** The server's answer to a request. False when there is no such request. */
  answer(id: string | undefined, envelope: Envelope): boolean {
    const item = this.items.get(id);
    if (!item || item.reader) return false;
    if (!item.abandoned) item.answered?.(envelope, item);
    item.resolve(envelope);
    this.remove(item);
    return true;
  }

  /** The server's ERROR for a message or request. False when it is none of these. */
  refuse(id: string | undefined, error: RefusedError, afterMs = 0): boolean {
    const item = this.items.get(id);
    if (!item) return false;
    item.refusals++;
    if (!error.retry || item.abandoned) {
      item.reject(error);
      this.remove(item);
      if (error.retry) this.#giveUp(item);
      return true;
    }
    item.refusedBy = error.code;
    this.#hold(item, afterMs);
    item.reader?.track(item);
    return true;
  }

  /** Takes back a refused message and all later ones of its lane, which the server refuses too; they go again later. */
  #hold(refused: Outgoing, afterMs: number): void {
    const lane = laneOf(refused);
    let isLater = false;
    for (const item of this.items.values()) {
      isLater ||= item === refused;
      if (isLater && laneOf(item) === lane) item.number = 0;
    }
    if (isReplay(refused)) this.pages.delete(refused.transaction);
    if (this.#held.has(lane)) return;
    const { clock, random } = this.#settings;
    const release = (): void => {
      this.#held.delete(lane);
      this.flush();
    };
    this.#held.set(lane, clock.timer(afterMs + reconnectDelay(refused.refusals, random, this.#settings), release));
  }

  /** After its ERROR the server waits for a message's id and refuses all others; only a new connection ends that. */
  #giveUp({ reader, refusals }: Outgoing): void {
    const error = new ClientError('given_up', 'A message was given up.');
    if (reader && refusals > 0) this.session?.end('resume', 1001, error);
  }

  #abort(item: Outgoing, reason: unknown): void {
    // A server that could not say whether it was stored has not refused it.
    const isRefused = item.refusedBy && !/^(OVERLOADED|INTERNAL_ERROR)$/.test(item.refusedBy);
    const isUnknown = item.reader && item.writtenAt && !isRefused;
    item.reject(isUnknown ? new UnknownOutcomeError(item.id, reason) : reason);
    item.abandoned = true;
    if (item.number) return item.reader?.track(item);
    this.remove(item);
    if (item.refusedBy) this.#giveUp(item);
  }

  /** Waits no more for what fits. What was written is still answered, and keeps its place until then. */
  abandon(reason: unknown, fits: (item: Outgoing) => boolean): void {
    for (const item of this.items.values()) if (fits(item)) this.#abort(item, reason);
  }

  /** Gives back everything, or all that fits. */
  giveBack(cause: unknown, fits: (item: Outgoing) => unknown = () => true): void {
    for (const item of this.items.values()) if (fits(item)) this.#giveBack(item, cause);
  }

  #giveBack(item: Outgoing, cause?: unknown): void {
    const isUnknown = item.reader && item.writtenAt;
    item.reject(isUnknown ? new UnknownOutcomeError(item.id, cause) : cause);
    this.remove(item);
  }

  /** Nothing more will become of it. */
  remove(item: Outgoing): void {
    this.items.delete(item.id);
    this.#changed();
    item.gone = true;
    item.stopListening?.();
    item.reader?.track(item);
    if (isReplay(item) && item.number) {
      this.pages.delete(item.transaction);
      this.flush();
    }
  }
}
