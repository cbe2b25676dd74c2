// A turn that keeps what a tool writes, without a server.

import { emptyConversation, type JsonValue, reduceConversation, type Turn } from '@haip/protocol';

export interface FakeTurn {
  readonly turn: Turn;
  /** What was streamed, piece by piece. */
  readonly written: string[];
  readonly replies: JsonValue[];
  /** Whether the streamed message was closed. */
  readonly ended: () => boolean;
}

/** A turn for the last of `payloads`; the others were said before, by the person and the assistant in turn. */
export function fakeTurn(
  payload: JsonValue,
  signal = new AbortController().signal,
  before: readonly string[] = [],
): FakeTurn {
  const written: string[] = [];
  const replies: JsonValue[] = [];
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
    reply: async (reply) => void replies.push(reply),
    replyAudio: async () => {},
    stream: async () => ({
      messageId: 'answer',
      write: async (text) => void written.push(text),
      end: async () => {
        ended = true;
      },
    }),
    call: () => Promise.reject(new Error('fakeTurn: expected no call')),
  };
  return { turn, written, replies, ended: () => ended };
}
