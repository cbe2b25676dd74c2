// What a server took with it when it went away: answers that have no end, or not even a first word.

import type { ChatState } from './chat-state.ts';

type Known = Pick<ChatState, 'tool' | 'conversation' | 'pending' | 'closed'>;

/** An answer cut off, as the last word of the conversation. */
export interface Unfinished {
  /** The message that has no end; undefined where the answer had not even begun one. */
  readonly message: string | undefined;
  /** Whether it makes sense to ask for the rest. */
  readonly canGoOn: boolean;
}

/** The answer that the conversation lacks the end of now; undefined while something is on its way, or when all is said. */
export function unfinishedAnswer({ tool, conversation, pending, closed }: Known): Unfinished | undefined {
  const { messages, runs, calls, ended } = conversation;
  if (ended || closed !== undefined || pending.length > 0) return undefined;
  const last = messages.at(-1);
  const run = runs.at(-1);
  if (run?.status === 'RUNNING') return undefined;
  const canGoOn = tool !== 'echo';
  if (last?.channel === 'AGENT') {
    return last.status === 'interrupted' ? { message: last.id, canGoOn } : undefined;
  }
  // A call shows for itself what became of it.
  const hasNothing = [...messages, ...calls].every(({ runId }) => runId !== run?.id);
  return run?.status === 'INTERRUPTED' && hasNothing ? { message: undefined, canGoOn } : undefined;
}
