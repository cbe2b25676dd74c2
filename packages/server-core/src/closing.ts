// Closes what an agent has open in a log: messages with what was written of them, calls, runs. At the end of a turn that
// is what the tool left open; after a takeover, what a dead server did. Between turns nothing stays open. Spec: §4, §6.

import type { Draft, JsonObject } from '@haip/protocol';
import { endPayload } from './drafting.ts';
import type { Ending } from './ending.ts';
import type { LiveLog } from './live-log.ts';
import type { OpenCall, OpenStream } from './log-state.ts';
import { type Pen, Refused } from './pen.ts';

interface Closing {
  readonly messageId: string;
  readonly start: number;
  readonly draft: Draft;
}

/**
 * Ends everything of the agent's that is open, in one step. True when a run was among it. Rejects when the store does, and with {@link Refused} when
 * it is not this node's to write here any more.
 */
export async function closeOpen(log: LiveLog, pen: Pen, ending: Ending, maxTextBytes: number): Promise<boolean> {
  await log.refresh();
  const { streams, calls, runs } = log.state;
  const messages = [...streams].filter(([, { owner }]) => owner === null);
  const closings = messages.map(([id, stream]) => closeMessage(pen, id, stream, ending.message, maxTextBytes));
  const drafts = closings.map(({ draft }) => draft);
  for (const [id, call] of calls) if (call.owner === null) drafts.push(closeCall(pen, id, call, ending));
  for (const id of runs.keys()) drafts.push(pen.draft({ type: ending.type, payload: ending.payload }, id));
  const hadRun = runs.size > 0;
  if (drafts.length === 0) return hadRun;
  await pen.append(drafts);
  for (const { type, outcome } of drafts) {
    // What is closed was closed by somebody who was faster: the first end in the log wins.
    if (outcome?.kind === 'refused' && outcome.why === 'lease') throw new Refused(type, outcome.why);
  }
  for (const closing of closings) await compactEnded(log, closing);
  return hadRun;
}

/** The end of a message stream, with all its text; and what of it can be deleted once that is stored. */
export function closeMessage(
  pen: Pen,
  messageId: string,
  stream: OpenStream,
  status: string | undefined,
  maxTextBytes: number,
): Closing {
  const written: JsonObject = status === undefined ? { message_id: messageId } : { message_id: messageId, status };
  const payload = endPayload(written, stream, maxTextBytes);
  const size = stream.text.length + 512;
  return { messageId, start: stream.start, draft: pen.draft({ type: 'MESSAGE_END', payload, size }, stream.runId) };
}

/** Deletes the parts of a message whose end carries all its text. */
export async function compactEnded(log: LiveLog, { messageId, start, draft }: Closing): Promise<void> {
  const { outcome, payload } = draft;
  if (outcome?.kind !== 'stored' || !('text' in (payload as JsonObject))) return;
  await log.compact({ messageId, start, end: outcome.position });
}

/** A call that was left open ends as its turn did, unless people had spoken: then as they wanted. */
function closeCall(pen: Pen, id: string, { runId, isCancelled, approved }: OpenCall, { call }: Ending): Draft {
  const wanted = isCancelled ? 'CANCELLED' : approved === false ? 'DENIED' : call;
  const status = call === 'OK' ? wanted : call;
  return pen.draft({ type: 'TOOL_DONE', payload: { call_id: id, status } }, runId);
}
