// What is stored of one transaction, as its tool reads it: entry by entry, each a copy of its own. Never writes. Spec: §4.

import type { Entry, HistoryStore } from '@haip/protocol';
import { ownEntry } from './own.ts';

/** A replay begins before the history that is kept. */
export class ReplayTooOldError extends RangeError {
  override readonly name = 'ReplayTooOldError';
  readonly code = 'REPLAY_TOO_OLD';
  /** The first position that can still be had. */
  readonly firstAvailable: number;

  constructor(firstAvailable: number) {
    super(`from: expected ${firstAvailable} or later, the first position that is kept`);
    this.firstAvailable = firstAvailable;
  }
}

/** The entries from `from` to `to`, or to the end. `trimmed` is told when the log begins behind where reading is. */
export async function* readEntries(
  history: HistoryStore,
  transaction: string,
  from: number,
  to: number,
  trimmed: (first: number) => void,
): AsyncGenerator<Entry, void, undefined> {
  let epoch: string | undefined;
  for (let next = from; next <= to; ) {
    const page = await history.read(transaction, Number.isFinite(to) ? { from: next, to } : { from: next });
    if (page === null) return;
    epoch ??= page.epoch;
    if (epoch !== page.epoch) throw new Error('The log is another one now.');
    if (next < page.first) trimmed(page.first);
    for (const entry of page.entries) yield ownEntry(entry);
    const last = page.entries.at(-1)?.position;
    if (last === undefined || last >= page.last) return;
    next = last + 1;
  }
}

/**
 * The same, and nothing is left out unsaid. Without `from` it begins with the first that is kept.
 * @throws RangeError for bounds that are no positions, {@link ReplayTooOldError} when the range begins before what is kept, or
 * while it is read comes to.
 */
export async function* replayWindow(
  history: HistoryStore,
  transaction: string,
  from: number | undefined,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Entry, void, undefined> {
  if (!(from === undefined || (Number.isSafeInteger(from) && from > 0)))
    throw new RangeError(`from: expected a position, 1 or more, got ${from}`);
  if (!(to >= 0)) throw new RangeError(`to: expected a position, got ${to}`);
  let mayMove = from === undefined;
  const entries = readEntries(history, transaction, from ?? 1, to, (first) => {
    if (!mayMove) throw new ReplayTooOldError(first);
  });
  for await (const entry of entries) {
    mayMove = false;
    yield entry;
  }
}
