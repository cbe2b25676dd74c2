// Puts what the log gave and what the page knows beside it into one list to show, top to bottom.

import type { ConversationMessage, ConversationRun } from '@haip/protocol';
import type { ChatState } from './chat-store.ts';

type TimelineItem =
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: ConversationMessage;
      /** The run that this message ends badly. */
      readonly fault: ConversationRun | undefined;
    }
  | { readonly kind: 'gap'; readonly key: string; readonly first: number; readonly last: number };

/** Nothing to see. That somebody stopped it is. */
const isEmptyLeftover = ({ status, text, audio, deleted }: ConversationMessage): boolean =>
  status !== 'open' && status !== 'cancelled' && text === '' && audio === undefined && deleted !== true;

/** The messages and gaps of a conversation in the order of the log. */
export function timelineOf({ conversation }: Pick<ChatState, 'conversation'>): TimelineItem[] {
  const faults = new Map(conversation.runs.filter(({ status }) => status === 'ERROR').map((run) => [run.id, run]));
  const lastOfRun = new Map(conversation.messages.map(({ id, runId }) => [runId, id]));
  const items: TimelineItem[] = [];
  for (const message of conversation.messages) {
    const isLast = message.runId !== undefined && lastOfRun.get(message.runId) === message.id;
    const fault = isLast ? faults.get(message.runId ?? '') : undefined;
    if (isEmptyLeftover(message) && !fault) continue;
    items.push({ kind: 'message', key: message.id, message, fault });
  }
  for (const { first, last } of conversation.gaps) {
    const at = items.findIndex((item) => item.kind === 'message' && item.message.position > last);
    const gap: TimelineItem = { kind: 'gap', key: `gap-${first}-${last}`, first, last };
    items.splice(at === -1 ? items.length : at, 0, gap);
  }
  return items;
}
