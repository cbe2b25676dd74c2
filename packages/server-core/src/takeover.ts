// What an agent finds in a log that it did not answer itself: messages that somebody else's turn answered already, and
// messages that are no longer there. Reads, never writes. Spec: §4.

import type { LiveLog, LogStretch } from './live-log.ts';
import type { Ask } from './log-state.ts';

/** Ids of the messages that an agent's entries after `position` answer: none of those is begun again. */
export async function readSpoken(log: LiveLog, position: number): Promise<ReadonlySet<string>> {
  const spoken = new Set<string>();
  const { epoch, last } = log;
  for (let at = position; at < last; ) {
    const read = log.after(at);
    const stretch = read instanceof Promise ? await read : read;
    for (const { entry } of stretch.entries) {
      if (entry.user === null && entry.related_id !== undefined) spoken.add(entry.related_id);
    }
    if (stretch.epoch !== epoch || stretch.last <= at) break;
    at = stretch.last;
  }
  return spoken;
}

/** The messages that were trimmed while they waited. */
interface LostAsks {
  /** Of the first one, where it is known. */
  readonly id: string | undefined;
  readonly from: number;
  readonly to: number;
}

/** Which of the messages that wait are gone, as a stretch read from the cursor on shows; undefined when none is. */
export function lostAsks(asks: readonly Ask[] | undefined, { first, entries }: LogStretch): LostAsks | undefined {
  // What this node still holds in memory is not lost, wherever the store's window begins by now.
  const begin = Math.min(first, entries[0]?.entry.position ?? first);
  const lost = asks?.[0];
  if (lost === undefined || lost.position >= begin) return undefined;
  const { id, position, from = position } = lost;
  return { id, from, to: asks?.findLast((ask) => ask.position < begin)?.position ?? position };
}
