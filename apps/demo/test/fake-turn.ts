// A turn that keeps what a tool writes, without a server.

import { emptyConversation, type JsonValue, reduceConversation, type Turn } from '@haip/protocol';

export interface FakeTurn {
  readonly turn: Turn;
  /** What was streamed, piece by piece. */
  readonly written: string[];
  readonly replies: JsonValue[];
  /** What was told of its calls, in order. */
  readonly told: JsonValue[];
  /** Whether the streamed message was closed. */
  readonly ended: () => boolean;
}

/**
 * A turn for a message; what is `before` was said before, by the person and the assistant in turn. Its calls are allowed
 * or not, as `isAllowed` says.
 */
export function fakeTurn(
  payload: JsonValue,
  signal = new AbortController().signal,
  before: readonly string[] = [],
  isAllowed = true,
): FakeTurn {
  const written: string[] = [];
  const replies: JsonValue[] = [];
  const told: JsonValue[] = [];
  let ended = false;
  const entries = [...before, payload].map((said, index) => ({
    position: index + 1,
    id: `message-${index + 1}`,
    user: index % 2 === 0 ? 'ada' : null,
    session: 'session',
    ts: 0,
    channel: index % 2 === 0 ? 'USER' : 'AGENT',
    type: 'MESSAGE',
    payload: said,
    bytes: undefined,
    mime: undefined,
    size: 0,
    run_id: undefined,
    thread_id: undefined,
    related_id: undefined,
  }));
  const message = entries.at(-1);
  if (!message) throw new Error('fakeTurn: expected a message');
  const turn: Turn = {
    id: message.id,
    transaction: 'transaction',
    user: { id: 'ada', claims: undefined },
    params: {},
    message,
    signal,
    conversation: async () => entries.reduce(reduceConversation, emptyConversation),
    async *getReplayWindow() {
      yield* entries;
    },
    reply: async (reply) => void replies.push(reply),
    replyAudio: async () => {},
    stream: async () => ({
      messageId: 'answer',
      write: async (text) => void written.push(text),
      end: async () => {
        ended = true;
      },
    }),
    call: async (tool, params = null) => {
      told.push([tool, params]);
      return {
        id: 'call',
        signal,
        progress: async (progress = 0) => void told.push(progress),
        ask: async (question) => {
          told.push(question);
          return isAllowed;
        },
        done: async () => void told.push('done'),
      };
    },
  };
  return { turn, written, replies, told, ended: () => ended };
}
