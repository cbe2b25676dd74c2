// One page of a transaction's history, as it is stored: own messages too, nothing merged, nothing skipped silently.
// Moves no cursor and spends no window. Spec: §4, REPLAY_REQUEST.

import { type Envelope, Fault, isJsonObject, readDecimal } from '@haip/protocol';
import { LoggedEntry } from './logged-entry.ts';
import type { Participation } from './participation.ts';
import type { Session } from './session.ts';

/** Answers a REPLAY_REQUEST with at most one page, then an INFO that says where to ask on. */
export async function replayPage(session: Session, participation: Participation, envelope: Envelope): Promise<void> {
  const { context, outbound } = session;
  const { log, reader } = participation;
  const payload = isJsonObject(envelope.payload) ? envelope.payload : {};
  const asked = payload['to_seq'] === undefined ? Number.POSITIVE_INFINITY : readDecimal(String(payload['to_seq']));
  await log.refresh();
  // Whatever was waited for, the user may have lost the right to see it.
  const refused = (): Fault | undefined => participation.readingRefused();
  const from = Math.max(readDecimal(String(payload['from_seq'])), 1);
  // What the live reader has not sent would look like the live stream.
  const to = Math.min(asked, reader?.position ?? log.last);
  const page = await context.history.read(log.transaction, {
    from: Math.min(from, log.last + 1),
    to: Math.max(to, 0),
    maxEntries: context.limits.maxReplayEntries,
    maxBytes: context.limits.maxReplayBytes,
  });
  if (page === null || refused()) return session.reject(envelope, new Fault('TRANSACTION_NOT_FOUND'));
  if (page.epoch !== (reader ?? log).epoch) {
    // It would be read as part of the log that was there before; the reader tells of the new one first.
    return session.reject(
      envelope,
      new Fault('OVERLOADED', { expected: 'the log, which is another one now, to be read' }),
    );
  }
  if (from < page.first) {
    return session.reject(envelope, new Fault('REPLAY_TOO_OLD', { expected: `from_seq ${page.first} or later` }));
  }
  for (const entry of page.entries) {
    if (entry.position > to) break;
    const frame = new LoggedEntry(log.transaction, entry).frame(session.binary);
    session.guest?.oweBytes(frame.text.length + (frame.bytes?.length ?? 0));
    const pending = outbound.send(frame);
    if (pending) await pending;
    if (refused()) return session.reject(envelope, new Fault('TRANSACTION_NOT_FOUND'));
  }
  const last = Math.max(Math.min(page.entries.at(-1)?.position ?? to, to), from - 1);
  // A range that begins past any number a log can reach ends where the log does.
  const reached = Number.isFinite(last) ? last : log.last;
  outbound.say({
    type: 'INFO',
    transaction: log.transaction,
    relatedId: envelope.id,
    payload: {
      kind: 'replayed',
      first: String(page.first),
      to: String(reached),
      ...(page.entries.length > 0 && reached < to ? { next: String(reached + 1) } : {}),
    },
  });
  session.done(envelope);
}
