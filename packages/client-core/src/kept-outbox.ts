// Keeps what was sent and not settled over a reload, bodies included, with the session's token, its attempt and the
// cursors: as one text that somebody else stores. Written at the end of each turn in which something changed. What
// can not be kept or sent any more is told, never dropped. Spec: §2.2, §3.4; guarantees.md, F59, F60.

import { sessionText } from '@haip/platform';
import { type Clock, fromBase64, isJsonObject, type JsonObject, type TextStore, toBase64 } from '@haip/protocol';
import type { ClientCore, Keeping, OutboxKeeper } from './core.ts';
import { asError, ClientError, ClosedError, UnknownOutcomeError } from './errors.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { isTooOld, type Outgoing, put } from './outbox.ts';
import type { Cursor } from './transaction.ts';

export interface KeptOutboxOptions {
  /** How long the text may get. What does not fit is kept without its body: it is told of, not sent. Default 1,000,000. */
  readonly maxCharacters?: number;
}

/** What is stored. A message is its body as JSON text, with the wall time of its first writing. */
interface Page {
  readonly token?: string;
  readonly attempt: number;
  readonly retryWithinMs: number;
  readonly cursors: readonly (readonly [string, Cursor])[];
  readonly messages: readonly (readonly [body: JsonObject, writtenAt: number | null])[];
}

const mostCursors = 100;

/** Keeps a client's outbox in a store of yours. One client for each store. */
export function keptOutbox(store: TextStore, { maxCharacters = 1_000_000 }: KeptOutboxOptions = {}): OutboxKeeper {
  return (core) => new KeptOutbox(core, store, maxCharacters);
}

/** {@link keptOutbox} in the tab's sessionStorage: it outlives a reload, and ends with the tab. */
export function sessionStorageOutbox(key = 'haip-outbox', options?: KeptOutboxOptions): OutboxKeeper {
  return keptOutbox(sessionText(key), options);
}

class KeptOutbox implements Keeping {
  readonly #core: ClientCore;
  readonly #store: TextStore;
  readonly #maxCharacters: number;
  /** Messages of an earlier page, until their transaction is open again. */
  #left: readonly Outgoing[] = [];
  readonly #bodies = new WeakMap<Outgoing, string>();
  #isDue = false;

  constructor(core: ClientCore, store: TextStore, maxCharacters: number) {
    this.#core = core;
    this.#store = store;
    this.#maxCharacters = maxCharacters;
    this.#attempt('outbox not read', () => {
      const text: unknown = store.load();
      return typeof text === 'string' ? this.#restore(JSON.parse(text)) : text;
    });
  }

  changed(): void {
    if (!this.#isDue) queueMicrotask(() => this.#save());
    this.#isDue = true;
  }

  opened(transaction: OpenTransaction): void {
    const left = this.#left;
    this.#left = left.filter((item) => item.transaction !== transaction.id);
    for (const item of left) {
      if (item.transaction === transaction.id) put(this.#core, item);
    }
    transaction.on('closed', () => this.#core.cursors.delete(transaction.id));
  }

  /** Does it now, and tells when it fails, be it later. */
  #attempt(what: string, action: () => unknown): void {
    const acting = async (): Promise<unknown> => action();
    acting().catch((error: unknown) => this.#core.settings.logger('warn', what, { error }));
  }

  #restore(page: Page | null): void {
    if (!isJsonObject(page)) return;
    const core = this.#core;
    // First what throws when the text is none of ours.
    for (const [id, cursor] of page.cursors) core.cursors.set(id, cursor);
    this.#left = page.messages.map(([body, writtenAt]) => this.#messageOf(body, writtenAt));
    core.token = page.token;
    core.attempt = page.attempt;
    core.retryWithinMs = page.retryWithinMs;
  }

  #messageOf(body: JsonObject, writtenAt: number | null): Outgoing {
    const { data, ...fields } = body as JsonObject & { readonly data?: string };
    const item: Outgoing = {
      ...(fields as unknown as Outgoing),
      bytes: data === undefined ? undefined : fromBase64(data),
      isEntry: true,
      number: 0,
      refusals: 0,
      resolve: () => {},
      reject: (reason) => this.#tellFailed(item, asError(reason)),
    };
    if (writtenAt !== null) item.writtenAt = firstWritten(writtenAt, this.#core.settings.clock);
    return item;
  }

  #tellFailed({ id, type, transaction, payload, bytes }: Outgoing, reason: Error): void {
    this.#core.settings.logger('warn', 'a message of an earlier page failed', { id, transaction, error: reason });
    this.#core.tellFailed({ id, type, transaction, payload, bytes, reason });
  }

  #save(): void {
    this.#isDue = false;
    this.#giveBack();
    this.#attempt('outbox not kept', () => this.#store.save(this.#text()));
  }

  /** Of what waits for its transaction: tells of all that can not be sent any more. A closed client keeps nothing. */
  #giveBack(): void {
    const core = this.#core;
    if (!core.isOpen) core.cursors.clear();
    const isOver = (item: Outgoing): boolean => !core.isOpen || item.payload === undefined || isTooOld(core, item);
    const over = this.#left.filter(isOver);
    this.#left = this.#left.filter((item) => !isOver(item));
    for (const item of over) {
      const closed = new ClosedError('The client was disconnected.');
      const notSent = item.payload === undefined ? new ClientError('not_kept', 'Too large to be kept.') : closed;
      item.reject(item.writtenAt ? new UnknownOutcomeError(item.id, undefined) : notSent);
    }
  }

  #text(): string {
    const { token, attempt, retryWithinMs, items, transactions, cursors } = this.#core;
    for (const [id, { epoch, cursor }] of transactions) {
      if (id === null || epoch === undefined) continue;
      // Behind the others: the newest stay.
      cursors.delete(id);
      cursors.set(id, cursor);
    }
    // Whoever joins again means to be there: a leave is not kept. What was read back is stored, and its place is passed.
    const unsettled = [...items.values()].filter(
      ({ isEntry, isSettled, isRead, isAbandoned, type }) =>
        isEntry && !isSettled && !isRead && !isAbandoned && type !== 'TRANSACTION_LEAVE',
    );
    let room = this.#maxCharacters;
    const messages = [...this.#left, ...unsettled].map((item) => {
      let body = this.#bodies.get(item) ?? bodyOf(item);
      this.#bodies.set(item, body);
      if (body.length > room) body = JSON.stringify({ id: item.id, type: item.type, transaction: item.transaction });
      else room -= body.length;
      return `[${body},${item.writtenAt?.now ?? null}]`;
    });
    const head = JSON.stringify({ token, attempt, retryWithinMs, cursors: [...cursors].slice(-mostCursors) });
    return `${head.slice(0, -1)},"messages":[${messages}]}`;
  }
}

/** A wall clock that went back says nothing about an age: then the message counts as too old. */
function firstWritten(now: number, clock: Clock): NonNullable<Outgoing['writtenAt']> {
  const agoMs = clock.now() - now;
  return { now, monotonic: agoMs < 0 ? Number.NEGATIVE_INFINITY : clock.monotonic() - agoMs };
}

function bodyOf({ id, type, transaction, payload, bytes, mime }: Outgoing): string {
  return JSON.stringify({ id, type, transaction, payload, data: bytes && toBase64(bytes), mime });
}
