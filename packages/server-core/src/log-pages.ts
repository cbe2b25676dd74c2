// What is stored of one transaction, as its tool reads it: entry by entry, each a copy of its own. Never writes. Spec: §4.

import { type Entry, type HistoryPage, type HistoryStore, refuseUnlessRange } from '@haip/protocol';
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

/** The log that was read is not there any more, or another one is: begin again. */
export class ReplayRestartedError extends Error {
  override readonly name = 'ReplayRestartedError';
  readonly code = 'restarted';
  readonly retry = true;
}

/**
 * The entries from `from` to `to`, or to the end; of a log that changes meanwhile whatever is there.
 *
 * @param look is shown each page first, or that there is none, and where reading is
 */
export async function* readEntries(
  history: HistoryStore,
  transaction: string,
  from: number,
  to = Number.MAX_SAFE_INTEGER,
  look: (page: HistoryPage | null, next: number) => void = () => {},
): AsyncGenerator<Entry, void, undefined> {
  for (let next = from; next <= to; ) {
    const page = await history.read(transaction, { from: next, to });
    look(page, next);
    for (const entry of page?.entries ?? []) yield ownEntry(entry);
    const last = page?.entries.at(-1)?.position;
    if (page === null || last === undefined || last >= page.last) return;
    next = last + 1;
  }
}

/**
 * The same, and nothing is left out unsaid. Without `from` it begins with the first that is kept.
 * @throws RangeError for bounds that are no positions, {@link ReplayTooOldError} when the range begins before what is kept, or
 * while it is read comes to, {@link ReplayRestartedError} when the log is another one before it was read.
 */
export async function* replayWindow(
  history: HistoryStore,
  transaction: string,
  from: number | undefined,
  to: number | undefined,
): AsyncGenerator<Entry, void, undefined> {
  refuseUnlessRange(from, to);
  let epoch: string | undefined;
  let mayMove = from === undefined;
  yield* readEntries(history, transaction, from ?? 1, to, (page, next) => {
    epoch ??= page?.epoch;
    if (page === null || page.epoch !== epoch) throw new ReplayRestartedError('The log is another one now.');
    if (next < page.first && !mayMove) throw new ReplayTooOldError(page.first);
    mayMove = false;
  });
}
