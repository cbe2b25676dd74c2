// What an application got when it read a stretch of the log again: invariant 10. Exactly the stored entries, in order;
// a stretch that begins before the window gives the first that can be had, and nothing else.

import type { ConversationEntry } from '@haip/protocol';
import { type Reading, sameJson } from './reading.ts';
import type { StoredLog } from './stored-log.ts';
import type { StoredLogs } from './stored-logs.ts';
import type { Verdicts } from './verdicts.ts';

export interface Replay {
  readonly who: string;
  readonly reading: Reading;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** Whether the application still reads the log. */
  isOpen(): boolean;
}

interface Parts {
  readonly logs: StoredLogs;
  readonly verdicts: Verdicts;
}

/** Takes what a replay gives, and judges it. Rejects as the replay does, unless it rejects rightly. */
export async function judgeReplay(
  parts: Parts,
  replay: Replay,
  given: AsyncIterable<ConversationEntry>,
): Promise<void> {
  const { reading, from, to, who } = replay;
  const { epoch, position: before } = reading;
  const bad = (what: string): void =>
    parts.verdicts.violated('10 replay exactness', `${who} in ${reading.transaction} ${from}–${to}: ${what}`);
  const log = (): StoredLog | undefined => parts.logs.of(reading.transaction, reading.epoch);
  const wasFirst = log()?.first ?? 1;
  let next = from;
  try {
    for await (const entry of given) {
      // It tells so itself when the log became another one; what came before is of the old. One that reads no more
      // is told of no other log.
      if (
        reading.epoch !== epoch ||
        (!replay.isOpen() && log()?.epoch !== parts.logs.now(reading.transaction)?.epoch)
      ) {
        return;
      }
      const stored = log()?.at(entry.position);
      if (stored === undefined) return bad(`${entry.position} was never stored`);
      if (next === undefined && entry.position > (log()?.first ?? 1)) skipped(log(), 1, entry.position, bad);
      if (next !== undefined) skipped(log(), next, entry.position, bad);
      if (next !== undefined && entry.position < next) bad(`${entry.position} came when ${next} was due`);
      if (stored.draft.id !== entry.id || !sameJson(entry.payload, stored.draft.payload)) {
        bad(`${entry.position} is not what is stored there`);
      }
      next = entry.position + 1;
    }
  } catch (error) {
    const { code, firstAvailable } = error as { code?: string; firstAvailable?: number };
    if (code !== 'REPLAY_TOO_OLD' || firstAvailable === undefined) throw error;
    const first = log()?.first ?? 1;
    if (reading.epoch !== epoch || epoch === '') return;
    if (firstAvailable > first || firstAvailable < wasFirst) bad(`too old names ${firstAvailable}, not ${first}`);
    if ((next ?? 1) >= firstAvailable) bad(`${next} is too old, but ${firstAvailable} is the first`);
    return;
  }
  if (from !== undefined && from < wasFirst && reading.epoch === epoch && from <= (to ?? from)) {
    bad(`began at ${wasFirst} without a word`);
  }
  const due = Math.min(to ?? before, before);
  // One that let go of it asks a server that may read it for somebody else by now.
  if (reading.epoch === epoch && from !== undefined && replay.isOpen()) skipped(log(), next ?? from, due + 1, bad);
}

/** What a replay left out must be what was compacted. */
function skipped(log: StoredLog | undefined, from: number, until: number, bad: (what: string) => void): void {
  for (let at = from; at < until; at++) {
    const stored = log?.at(at);
    if (stored === undefined || stored.superfluous || at < (log?.first ?? 1)) continue;
    return bad(`${at} ${stored.draft.type} is missing`);
  }
}
