// Adjacent parts of one message in one frame, for a reader that finds several at once: their positions, and their texts put
// together. Pure: knows neither the reader nor its window. Spec: §4.1.

import { type Entry, encode, isJsonObject, type JsonObject } from '@haip/protocol';
import { OVERHEAD_BYTES } from './drafting.ts';
import type { EntryFrame, LoggedEntry } from './logged-entry.ts';

/** A UTF-16 unit takes at most so many in JSON. */
const UNIT_BYTES = 6;

interface Part {
  readonly message_id: string;
  readonly text: string;
}

/** The payload of a part that has nothing but its text: all others keep a frame of their own. */
function plainPart({ type, payload, related_id }: Entry): Part | undefined {
  if (type !== 'MESSAGE_PART' || related_id !== undefined || !isJsonObject(payload)) return undefined;
  const { message_id: id, text } = payload as JsonObject;
  if (typeof id !== 'string' || typeof text !== 'string' || Object.keys(payload).length !== 2) return undefined;
  return payload as unknown as Part;
}

function goesWith(next: Entry, before: Entry): boolean {
  return (
    next.position === before.position + 1 &&
    next.session === before.session &&
    next.channel === before.channel &&
    next.run_id === before.run_id &&
    next.thread_id === before.thread_id
  );
}

/** How many of the entries from `at` on, 1 or more, can be one frame below `maxTextBytes`. */
export function adjacentParts(entries: readonly LoggedEntry[], at: number, maxTextBytes: number): number {
  let before = (entries[at] as LoggedEntry).entry;
  const first = plainPart(before);
  if (first === undefined) return 1;
  let room = (maxTextBytes - OVERHEAD_BYTES) / UNIT_BYTES - first.text.length;
  let count = 1;
  for (let next = entries[at + count]; next !== undefined; next = entries[at + count]) {
    const part = plainPart(next.entry);
    if (part === undefined || part.message_id !== first.message_id || !goesWith(next.entry, before)) break;
    room -= part.text.length;
    if (room < 0) break;
    before = next.entry;
    count++;
  }
  return count;
}

/** One frame of parts that {@link adjacentParts} found: it begins at the first and is otherwise as the last. */
export function mergedFrame(transaction: string, parts: readonly LoggedEntry[]): EntryFrame {
  const { entry: first } = parts[0] as LoggedEntry;
  const { entry: last } = parts.at(-1) as LoggedEntry;
  const texts = parts.map(({ entry }) => (entry.payload as unknown as Part).text);
  const text = encode({
    id: last.id,
    transaction,
    session: last.session,
    seq: String(last.position),
    ts: String(last.ts),
    channel: last.channel,
    type: last.type,
    payload: { message_id: (last.payload as unknown as Part).message_id, text: texts.join('') },
    from_seq: String(first.position),
    run_id: last.run_id,
    thread_id: last.thread_id,
  });
  return { text, bytes: undefined, shared: false, memo: undefined, size: undefined };
}
