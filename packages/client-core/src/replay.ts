// Reads a transaction's history again, page by page, beside the live log: moves no cursor. Spec: §4, REPLAY_REQUEST.

import { type ConversationEntry, type Envelope, refuseUnlessRange } from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { ClientError, RefusedError, ReplayTooOldError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { type Page, send } from './outbox.ts';
import type { Reader } from './reader.ts';

/** The stored entries from `from` to `to`, both included. Without `from` it begins with what is still kept. */
export async function* replayWindow(
  reader: Reader,
  core: ClientCore,
  from: number | undefined,
  to: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConversationEntry, void, undefined> {
  const { id: transaction } = reader;
  refuseUnlessRange(from, to);
  let next = from ?? 1;
  let mayMove = from === undefined;
  // All pages are of one log.
  let { epoch } = reader;
  while (next) {
    // What a log it has left still sends could not be told from a page that goes further than it had read.
    if (reader.closed) to = Math.min(reader.read, to ?? reader.read);
    if (next > (to as number)) return;
    const page: Page = { entries: [], asker: reader };
    const payload = { from_seq: String(next), to_seq: to?.toString() };
    try {
      const { payload: answer } = await send<Envelope>(
        core,
        { type: 'REPLAY_REQUEST', transaction, payload, page },
        signal,
      );
      epoch ??= reader.epoch;
      if (reader.epoch !== epoch) throw new ClientError('restarted', 'The log is another one now.', undefined, true);
      yield* page.entries;
      mayMove = false;
      next = Number(fieldsOf(answer).next ?? 0);
    } catch (error) {
      if (!(error instanceof RefusedError && error.code === 'REPLAY_TOO_OLD')) throw error;
      const first = Number(/\d+/.exec(error.expected ?? '')?.[0] ?? 1);
      if (!mayMove || first <= next) throw new ReplayTooOldError(error, first);
      next = first;
    }
  }
}
