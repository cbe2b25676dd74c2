// Keeps what was sent until the server has settled it and it was read, in the author's order, and sends it again under the
// same id where that is right. Only `ack` settles a message, only an answer a request; whatever else becomes of them is
// told. Owns the timers of its own retries. Its state is the core's. Spec: §3.

import type { ConversationEntry, Envelope, JsonValue, Timer } from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { spendsWindow } from './entry.ts';
import { ClientError, ClosedError, type RefusedError, UnknownOutcomeError } from './errors.ts';
import { reconnectDelay } from './reconnect-delay.ts';
import { untilSettled } from './waiting.ts';
import { isOpen } from './windows.ts';

/** How a message came out: its id, and its position where the receipt named it. */
export interface SendResult {
  readonly id: string;
  readonly position?: number;
}

/** A message or a request. */
export interface Draft {
  /** Default: a new one. */
  readonly id?: string;
  readonly type: string;
  readonly transaction: string | null;
  readonly payload: JsonValue;
  readonly bytes?: Uint8Array | undefined;
  readonly mime?: string | undefined;
  /** A message: the log is to hold it. Otherwise a request, which is to be answered. */
  readonly isEntry?: boolean;
  /** Of a request: called with the answer before anything behind it is looked at. */
  readonly answered?: (answer: Envelope, item: Outgoing) => void;
  /** Of a replay: what it was answered with so far. */
  readonly page?: Page;
}

/** What a replay is answered with. */
export interface Page {
  readonly entries: ConversationEntry[];
  /** Who asked: what lies beyond its place is not of this page, also when it reads no more. */
  readonly asker: { readonly read: number };
}

/** A draft underway. */
export interface Outgoing extends Draft {
  readonly id: string;
  transaction: string | null;
  /** Its number on the present connection; 0: not written on it. */
  number: number;
  /** When it was first written, by both clocks: one stands still while a machine sleeps, the other may jump. */
  writtenAt?: { readonly now: number; readonly monotonic: number };
  refusals: number;
  /** The code of the ERROR that asked to try again, until it is written again. */
  refusedBy?: string | undefined;
  /** One before it in its lane was refused for now: it goes again, but only once it was answered itself. Until it is written. */
  isHeld?: boolean;
  /** Until it is tried again. */
  timer?: Timer | undefined;
  /** It is in the log, or was answered. */
  isSettled?: boolean;
  /** It was read in its place. */
  isRead?: boolean;
  /** Nobody waits for it any more: it is not sent again. */
  isAbandoned?: boolean;
  resolve(outcome: SendResult | Envelope): void;
  reject(error: unknown): void;
}

const notConnected = 'Not connected: call connect() first.';

/** The error for whoever asks something of a client that is not connecting. */
export const closedError = (): ClosedError => new ClosedError(notConnected);

/**
 * What waits when a message waits: its transaction's later messages, save what must not have to. Replays go one at a time;
 * any other request holds up nobody.
 */
function laneOf({ id, type, transaction, isEntry, page }: Outgoing): string {
  if (page) return `?${transaction}`;
  return isEntry && !/_CANCEL$|^TRANSACTION_END$/.test(type) ? `/${transaction}` : id;
}

/**
 * Takes a message or request and writes it as soon as it may be. The promise is the answer of a request, the result
 * of a message. An abort ends the wait; before it was written it takes it back.
 */
export async function send<Outcome extends SendResult | Envelope>(
  core: ClientCore,
  draft: Draft,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  signal?.throwIfAborted();
  if (!core.isOpen) throw closedError();
  const { promise, resolve, reject } = Promise.withResolvers<SendResult | Envelope>();
  const item: Outgoing = { id: core.settings.ids(), ...draft, number: 0, refusals: 0, resolve, reject };
  put(core, item);
  return untilSettled(promise, signal, (reason) => abort(core, item, reason)) as Promise<Outcome>;
}

/** Puts a message or request behind all others. */
export function put(core: ClientCore, item: Outgoing): void {
  core.items.set(item.id, item);
  flush(core);
  changed(core, item);
}

function changed(core: ClientCore, { transaction }: Outgoing): void {
  core.transactions.get(transaction)?.changed();
  core.changed();
}

/** Writes what may be written. */
export function flush(core: ClientCore): void {
  if (core.isFlushing) return;
  core.isFlushing = true;
  const waiting = new Set<string>();
  // What is added meanwhile comes behind, in its turn.
  for (const item of core.items.values()) {
    if (item.isSettled) continue;
    if (!item.number && item.isEntry && isTooOld(core, item)) {
      fail(core, item);
      if (item.refusals) giveUp(core);
      continue;
    }
    const lane = laneOf(item);
    if (!item.number && !waiting.has(lane) && !write(core, item)) continue;
    if (item.page || item.isHeld || !item.number) waiting.add(lane);
  }
  core.isFlushing = false;
}

/** False: it can not be written at all, and waits no more. */
function write(core: ClientCore, item: Outgoing): boolean {
  const { session, settings } = core;
  if (!session || session.full || item.timer) return true;
  if (session.windows && spendsWindow(item.type) && !isOpen(session.windows, item.transaction)) return true;
  const { clock } = settings;
  item.refusedBy = undefined;
  item.isHeld = false;
  if (item.page) item.page.entries.length = 0;
  try {
    item.number = session.write(item);
    item.writtenAt ??= { now: clock.now(), monotonic: clock.monotonic() };
    core.changed();
    return true;
  } catch (error) {
    fail(core, item, error);
    if (item.refusals) giveUp(core);
    return false;
  }
}

/** Whether it was first written so long ago that the server may not know its id again. */
export function isTooOld({ settings: { clock }, retryWithinMs }: ClientCore, { writtenAt }: Outgoing): boolean {
  if (!writtenAt) return false;
  return Math.max(clock.now() - writtenAt.now, clock.monotonic() - writtenAt.monotonic) > retryWithinMs;
}

/** The connection is gone. What is not settled goes out first on the next, under the same ids and new numbers. */
export function detach(core: ClientCore): void {
  core.session = undefined;
  for (const item of core.items.values()) {
    item.number = 0;
    item.timer?.cancel();
    item.timer = undefined;
    if (item.isAbandoned) remove(core, item);
  }
}

/** The server's `ack`: all that this connection sent up to that number is settled, save what it refused for now. */
export function settle(core: ClientCore, upTo: number): void {
  for (const item of core.items.values()) {
    if (!item.number || item.number > upTo) continue;
    if (item.isHeld && !item.isAbandoned) item.number = 0;
    else if (item.isEntry) {
      item.isSettled = true;
      item.resolve({ id: item.id });
      if (item.isRead) remove(core, item);
    }
  }
  flush(core);
}

/** The server's answer to a request. False when there is no such request. */
export function answer(core: ClientCore, id: string | undefined, envelope: Envelope): boolean {
  const item = core.items.get(id);
  if (!item || item.isEntry || item.isSettled) return false;
  if (!item.isAbandoned) item.answered?.(envelope, item);
  item.resolve(envelope);
  if (!item.isSettled) remove(core, item);
  return true;
}

/** The server's ERROR for a message or request. False when it is none of these. */
export function refuse(core: ClientCore, id: string | undefined, error: RefusedError, afterMs = 0): boolean {
  const item = core.items.get(id);
  if (!item || item.isSettled) return false;
  if (!error.retry || item.isAbandoned) {
    item.reject(error);
    remove(core, item);
    if (error.retry && !item.isHeld) giveUp(core);
    return true;
  }
  item.refusedBy = error.code;
  if (!item.isHeld) {
    // The server refuses all that was written behind it in its lane, too, each with an ERROR of its own.
    for (const later of core.items.values()) {
      if (later.number > item.number && laneOf(later) === laneOf(item)) later.isHeld = true;
    }
    const { settings } = core;
    item.timer = settings.clock.timer(afterMs + reconnectDelay(++item.refusals, settings.random, settings), () => {
      item.timer = undefined;
      flush(core);
    });
  }
  item.number = 0;
  flush(core);
  changed(core, item);
  return true;
}

/** After its ERROR the server waits for a message's id and refuses all others; only a new connection ends that. */
function giveUp({ session }: ClientCore): void {
  session?.end('resume', new ClientError('given_up', 'A message was given up.'));
}

/** Waits no more for it. What was written is still answered, and keeps its place until then. */
function abort(core: ClientCore, item: Outgoing, reason: unknown): void {
  const { refusedBy } = item;
  // A server that could not say whether it was stored has not refused it.
  const isRefused = refusedBy && !/^(OVERLOADED|INTERNAL_ERROR)$/.test(refusedBy);
  const isUnknown = item.isEntry && item.writtenAt && !isRefused;
  item.reject(isUnknown ? new UnknownOutcomeError(item.id, reason) : reason);
  item.isAbandoned = true;
  if (item.number) return changed(core, item);
  remove(core, item);
  if (item.isEntry && refusedBy) giveUp(core);
}

/** Gives back everything that is not settled, or of it all that fits. */
export function giveBack(core: ClientCore, cause: unknown, fits: (item: Outgoing) => unknown = () => true): void {
  for (const item of core.items.values()) {
    if (!item.isSettled && fits(item)) fail(core, item, cause);
  }
}

function fail(core: ClientCore, item: Outgoing, cause?: unknown): void {
  item.reject(item.isEntry && item.writtenAt ? new UnknownOutcomeError(item.id, cause) : cause);
  remove(core, item);
}

/** Nobody reads these messages and requests of a transaction any more, for that reason or since it was left or ended. */
export function letGo(
  core: ClientCore,
  items: readonly Outgoing[],
  reason: Error | undefined,
  hasEnded: boolean,
): void {
  for (const item of items) {
    if (item.isSettled) remove(core, item);
    // What was written is answered yet: with an ERROR, after a verdict that refused.
    else if (reason && !item.number) fail(core, item, reason);
    // The reader's place stands still from now on: nobody could tell an answer from what comes live.
    else if (item.page && !reason && !hasEnded) abort(core, item, new ClosedError(String(item.transaction)));
  }
}

/** Nothing more will become of it. */
export function remove(core: ClientCore, item: Outgoing): void {
  core.items.delete(item.id);
  item.timer?.cancel();
  changed(core, item);
  // Another may ask now.
  if (item.page) flush(core);
}
