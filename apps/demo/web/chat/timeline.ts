// Puts what the log gave and what the page knows beside it into one list to show, top to bottom.

import {
  type ConversationCall,
  type ConversationEntry,
  type ConversationMessage,
  type ConversationRun,
  isJsonObject,
} from '@haip/protocol';
import type { ChatState } from './chat-state.ts';

type TimelineItem = { readonly key: string; readonly position: number } & (
  | {
      readonly kind: 'message';
      readonly message: ConversationMessage;
      /** The run that this message ends badly. */
      readonly fault: ConversationRun | undefined;
    }
  | { readonly kind: 'call'; readonly call: ConversationCall }
  /** It ends at `position`. */
  | { readonly kind: 'gap'; readonly first: number }
);

/** What is something to see without a word: that it is on its way, that somebody stopped it, that its server went away. */
const tellingStatuses: readonly string[] = ['open', 'cancelled', 'interrupted'];

/** Nothing to see. */
const isEmptyLeftover = ({ status, text, audio, deleted }: ConversationMessage): boolean =>
  !tellingStatuses.includes(status) && text === '' && audio === undefined && deleted !== true;

/** Where calls began in the log, after one more entry: the first that names a call, as its beginning may be gone. */
export function placeCall(
  callsAt: ChatState['callsAt'],
  { type, payload, position }: Pick<ConversationEntry, 'type' | 'payload' | 'position'>,
): ChatState['callsAt'] {
  const id = type.startsWith('TOOL_') && isJsonObject(payload) ? payload['call_id'] : undefined;
  return typeof id !== 'string' || callsAt.has(id) ? callsAt : new Map([...callsAt, [id, position]]);
}

/** The messages, calls and gaps of a conversation in the order of the log. */
export function timelineOf({ conversation, callsAt }: Pick<ChatState, 'conversation' | 'callsAt'>): TimelineItem[] {
  const faults = new Map(conversation.runs.filter(({ status }) => status === 'ERROR').map((run) => [run.id, run]));
  const lastOfRun = new Map(conversation.messages.map(({ id, runId }) => [runId, id]));
  const items: TimelineItem[] = [];
  for (const message of conversation.messages) {
    const isLast = message.runId !== undefined && lastOfRun.get(message.runId) === message.id;
    const fault = isLast ? faults.get(message.runId ?? '') : undefined;
    if (isEmptyLeftover(message) && !fault) continue;
    items.push({ kind: 'message', key: message.id, position: message.position, message, fault });
  }
  for (const call of conversation.calls) {
    items.push({ kind: 'call', key: call.id, position: callsAt.get(call.id) ?? 0, call });
  }
  for (const { first, last } of conversation.gaps) {
    items.push({ kind: 'gap', key: `gap-${first}-${last}`, position: last, first });
  }
  return items.sort((a, b) => a.position - b.position);
}
