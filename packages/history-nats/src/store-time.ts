// The time of a store that several nodes share: that of the server, so that no node's own clock decides, going on by the
// monotonic clock, so that one that is set while a node runs moves nothing. Never behind what was stored last. Fault F38.

import { systemClock } from '@haip/platform';
import type { Clock } from '@haip/protocol';
import { decodeLink } from './link.ts';
import type { Names } from './names.ts';
import type { Stream } from './stream.ts';

export interface StoreTimeOptions {
  /** Absent: the server's. */
  readonly clock: Clock | undefined;
  readonly names: Names;
  readonly logs: Stream;
  readonly index: Stream;
  /** The last sequence of the stream of logs. */
  readonly lastSeq: number;
}

/** Gives the way to tell the store's time, in whole ms since epoch. */
export async function storeTime({ clock, names, logs, index, lastSeq }: StoreTimeOptions): Promise<() => number> {
  const { now, at, monotonic } = clock === undefined ? await serverTime(index, names) : timeOf(clock);
  const [newest] = lastSeq > 0 ? await logs.get([lastSeq]) : [];
  const offset = Math.max(now, newest ? decodeLink(newest).head.t : 0) - at;
  return () => Math.floor(offset + monotonic());
}

interface Time {
  /** The wall clock at a moment, and what the monotonic clock said then. */
  readonly now: number;
  readonly at: number;
  monotonic(): number;
}

function timeOf(clock: Clock): Time {
  return { now: clock.now(), at: clock.monotonic(), monotonic: () => clock.monotonic() };
}

/** What the server wrote on a message that it was just sent. */
async function serverTime(index: Stream, names: Names): Promise<Time> {
  const monotonic = (): number => systemClock.monotonic();
  const before = monotonic();
  const appended = await index.append(names.clock, new Uint8Array(), { id: `clock ${crypto.randomUUID()}` });
  const at = (before + monotonic()) / 2;
  const seqs = appended === undefined ? [] : [appended.seq];
  const [message] = await index.get(seqs);
  // Nobody asks for the newest of these.
  await index.remove(seqs);
  return { now: message?.time ?? systemClock.now(), at, monotonic };
}
