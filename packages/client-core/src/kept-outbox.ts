// Keeps what was sent and not settled over a reload, bodies included, with the session's token, its attempt and the
// cursors: as one text that somebody else stores. Written at the end of each turn in which something changed. What
// can not be kept or sent any more is told, never dropped. Spec: §2.2, §3.4; guarantees.md, F59, F60.

import { sessionText } from '@haip/platform';
import { type Clock, fromBase64, isJsonObject, type JsonObject, type TextStore, toBase64 } from '@haip/protocol';
import { asError, ClientError, UnknownOutcomeError } from './errors.ts';
import type { ClientMemory, OutboxKeeper } from './memory.ts';
import type { Outgoing } from './outbox.ts';
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
  return (memory, { clock, logger }) => {
    const attempt = (what: string, action: () => void): void => {
      try {
        action();
      } catch (error) {
        logger('warn', what, { error });
      }
    };
    attempt('outbox not read', () => restore(memory, JSON.parse(store.load() ?? 'null'), clock));
    const bodies = new WeakMap<Outgoing, string>();
    let isDue = false;
    const save = (): void => {
      isDue = false;
      giveBackOld(memory, clock);
      attempt('outbox not kept', () => store.save(textOf(memory, bodies, maxCharacters)));
    };
    return () => {
      if (!isDue) queueMicrotask(save);
      isDue = true;
    };
  };
}

/** {@link keptOutbox} in the tab's sessionStorage: it outlives a reload, and ends with the tab. */
export function sessionStorageOutbox(key = 'haip-outbox', options?: KeptOutboxOptions): OutboxKeeper {
  return keptOutbox(sessionText(key), options);
}

function restore(memory: ClientMemory, page: Page | null, clock: Clock): void {
  if (!isJsonObject(page)) return;
  // First what throws when the text is none of ours.
  for (const [id, cursor] of page.cursors) memory.cursors.set(id, cursor);
  memory.left = page.messages.map(([body, writtenAt]) => messageOf(memory, body, writtenAt, clock));
  memory.token = page.token;
  memory.attempt = page.attempt;
  memory.outbox.retryWithinMs = page.retryWithinMs;
}

function messageOf(memory: ClientMemory, body: JsonObject, writtenAt: number | null, clock: Clock): Outgoing {
  const { data, ...fields } = body as JsonObject & { readonly data?: string };
  const item: Outgoing = {
    ...(fields as unknown as Outgoing),
    bytes: data === undefined ? undefined : fromBase64(data),
    number: 0,
    refusals: 0,
    resolve: () => {},
    reject: (reason) => memory.fail(item, asError(reason)),
  };
  if (writtenAt !== null) {
    const agoMs = clock.now() - writtenAt;
    // A wall clock that went back says nothing about an age: then it is too old.
    item.writtenAt = { now: writtenAt, monotonic: agoMs < 0 ? Number.NEGATIVE_INFINITY : clock.monotonic() - agoMs };
  }
  return item;
}

/** Of what waits for its transaction to be joined: tells of all that can not be sent any more. A client that is closed keeps nothing. */
function giveBackOld(memory: ClientMemory, clock: Clock): void {
  const { outbox, left } = memory;
  if (!outbox.isOpen) memory.cursors.clear();
  const isOver = (item: Outgoing): boolean =>
    !outbox.isOpen || item.payload === undefined || outbox.isTooOld(item, clock);
  memory.left = left.filter((item) => !isOver(item));
  for (const item of left) {
    if (!isOver(item)) continue;
    const notSent = item.payload === undefined ? 'It was too large to be kept.' : 'The client was disconnected.';
    item.reject(item.writtenAt ? new UnknownOutcomeError(item.id, undefined) : new ClientError('not_sent', notSent));
  }
}

function textOf(memory: ClientMemory, bodies: WeakMap<Outgoing, string>, maxCharacters: number): string {
  const { token, attempt, outbox, transactions, cursors, left } = memory;
  for (const [id, { epoch, plain, cursor }] of transactions) {
    if (id === null || plain || epoch === undefined) continue;
    // Behind the others: the newest stay.
    cursors.delete(id);
    cursors.set(id, cursor);
  }
  const { retryWithinMs } = outbox;
  const head = { token, attempt, retryWithinMs, cursors: [...cursors].slice(-mostCursors) };
  let room = maxCharacters;
  const messages = [...left, ...outbox.unsettled()].map((item) => {
    let body = bodies.get(item) ?? bodyOf(item);
    bodies.set(item, body);
    if (body.length > room) body = JSON.stringify({ id: item.id, type: item.type, transaction: item.transaction });
    else room -= body.length;
    return `[${body},${item.writtenAt?.now ?? null}]`;
  });
  return `${JSON.stringify(head).slice(0, -1)},"messages":[${messages}]}`;
}

function bodyOf({ id, type, transaction, payload, bytes, mime }: Outgoing): string {
  return JSON.stringify({ id, type, transaction, payload, data: bytes && toBase64(bytes), mime });
}
