// Reads a transaction's history again, page by page, beside the live log: moves no cursor. Spec: §4, REPLAY_REQUEST.

import type { ConversationEntry, Envelope } from '@haip/protocol';
import { ClientError, RefusedError, ReplayTooOldError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import type { Outbox } from './outbox.ts';
import type { Reader } from './reader.ts';

/** The stored entries from `from` to `to`, both included. Without `from` it begins with what is still kept. */
export async function* replayWindow(
  reader: Reader,
  outbox: Outbox,
  from: number | undefined,
  to: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConversationEntry, void, undefined> {
  let next = from ?? 1;
  let mayMove = from === undefined;
  const { id } = reader;
  // All pages are of one log.
  let { epoch } = reader;
  while (next) {
    // What a log it has left still sends could not be told from a page that goes further than it had read.
    if (reader.closed) to = Math.min(reader.read, to ?? reader.read);
    if (next > (to as number)) return;
    let entries: readonly ConversationEntry[] | undefined;
    const answered = (): void => {
      epoch ??= reader.epoch;
      if (reader.epoch === epoch) entries = outbox.pages.get(id)?.entries;
    };
    const payload = { from_seq: String(next), to_seq: to?.toString() };
    try {
      const draft = { type: 'REPLAY_REQUEST', transaction: id, payload, answered, asker: reader };
      const answer = await outbox.add<Envelope>(draft, signal);
      if (!entries) throw new ClientError('restarted', 'The log is another one now.', undefined, true);
      yield* entries;
      mayMove = false;
      next = Number(fieldsOf(answer.payload).next ?? 0);
    } catch (error) {
      if (!(error instanceof RefusedError && error.code === 'REPLAY_TOO_OLD')) throw error;
      const first = Number(/\d+/.exec(error.expected ?? '')?.[0] ?? 1);
      if (!mayMove || first <= next) throw new ReplayTooOldError(error, first);
      next = first;
    }
  }
}
