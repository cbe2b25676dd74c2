// Reads a transaction's history again, page by page, beside the live log: moves no cursor. One request at a time in
// each transaction, since what comes until its end is its answer. Spec: §4, REPLAY_REQUEST.

import type { ConversationEntry, Ids, JsonObject } from '@haip/protocol';
import { ask } from './ask.ts';
import { ClientError, RefusedError, ReplayTooOldError } from './errors.ts';
import type { Outbox } from './outbox.ts';
import type { Reader } from './reader.ts';
import { textField } from './text-field.ts';
import { orAborted } from './waiting.ts';

interface Page {
  readonly entries: readonly ConversationEntry[];
  readonly next: number | undefined;
}

export interface ReplayParts {
  readonly reader: Reader;
  readonly outbox: Outbox;
  readonly ids: Ids;
}

/** The replays underway, by reader: a page waits for the one before it. */
const underway = new WeakMap<Reader, Promise<void>>();

async function requestPage(parts: ReplayParts, range: JsonObject, signal: AbortSignal | undefined): Promise<Page> {
  const { reader, outbox, ids } = parts;
  const before = underway.get(reader);
  const gone = Promise.withResolvers<void>();
  underway.set(reader, gone.promise);
  try {
    await orAborted(before ?? Promise.resolve(), signal);
    signal?.throwIfAborted();
  } catch (error) {
    // Whoever is behind still waits for the one before.
    void before?.then(gone.resolve);
    throw error;
  }
  const { epoch } = reader;
  let entries: readonly ConversationEntry[] | undefined;
  let isOver = false;
  const id = ids();
  const release = (): void => {
    if (isOver || outbox.get(id) !== undefined) return;
    isOver = true;
    reader.page = undefined;
    gone.resolve();
  };
  const written = (): void => {
    reader.page = [];
  };
  const draft = {
    id,
    type: 'REPLAY_REQUEST',
    transaction: reader.transaction,
    payload: range,
    written,
    changed: release,
  };
  const answer = ask(outbox, draft, signal, () => {
    if (reader.epoch === epoch) entries = reader.page;
  });
  answer.catch(release);
  const next = textField((await answer).payload, 'next');
  if (entries === undefined) throw new ClientError('restarted', 'The log became another one.', { retry: true });
  return { entries, next: next === undefined ? undefined : Number(next) };
}

/** The first position the server named when it refused a range that began before it. */
function firstAvailable({ expected = '' }: RefusedError): number {
  return Number(/\d+/.exec(expected)?.[0] ?? 1);
}

/**
 * The stored entries from `from` to `to`, both included. Without `from` it begins with what is still kept.
 * @throws ReplayTooOldError when the range begins, or while it is read comes to begin, before what is kept.
 */
export async function* replayWindow(
  parts: ReplayParts,
  from: number | undefined,
  to: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConversationEntry, void, undefined> {
  let next: number | undefined = from ?? 1;
  let mayMove = from === undefined;
  while (next !== undefined && (to === undefined || next <= to)) {
    const range: JsonObject = { from_seq: String(next), to_seq: to === undefined ? undefined : String(to) };
    let page: Page;
    try {
      page = await requestPage(parts, range, signal);
    } catch (error) {
      if (!(error instanceof RefusedError && error.code === 'REPLAY_TOO_OLD')) throw error;
      const first = firstAvailable(error);
      if (!mayMove || first <= next) throw new ReplayTooOldError({ message: error.message }, first);
      next = first;
      continue;
    }
    mayMove = false;
    yield* page.entries;
    next = page.next;
  }
}
