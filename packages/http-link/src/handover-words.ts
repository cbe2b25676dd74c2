// What nodes say to each other of a POST that reached the wrong one, as bytes: a line of JSON, and behind it the body.
// Pure: what can not be read is nothing. Spec: §7.4.

import type { PostAnswer } from './posts.ts';

/** A POST, told to the node that owns its stream. */
export interface PostWord {
  readonly kind: 'post';
  /** The asking node, and which of its questions this is. */
  readonly from: string;
  readonly id: string;
  /** As the link's kind names it: a stream is reached by its own kind's addresses only. */
  readonly transport: string;
  /** The last part of the upstream address, its secret in it: who has that speaks for the connection. */
  readonly address: string;
  readonly isOneEnvelope: boolean;
  /** Left out when the owner said that it has it. */
  readonly body: Uint8Array | undefined;
}

/** What the owner says back: that it has the POST, or what that is answered. */
export type ReplyWord =
  | { readonly kind: 'has'; readonly id: string }
  | { readonly kind: 'answer'; readonly id: string; readonly answer: PostAnswer };

export type Word = PostWord | ReplyWord;

/** More than the longest line of JSON before a body. */
export const longestHeadBytes = 1024;

const lineFeed = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeWord(word: Word): Uint8Array {
  if (word.kind !== 'post') return encoder.encode(JSON.stringify(word));
  const { body, ...rest } = word;
  const head = encoder.encode(`${JSON.stringify(rest)}${body ? '\n' : ''}`);
  if (body === undefined) return head;
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

export function readWord(bytes: Uint8Array): Word | undefined {
  const end = bytes.indexOf(lineFeed);
  try {
    const head = JSON.parse(decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))) as Record<string, unknown>;
    return head['kind'] === 'post' ? readPost(head, end < 0 ? undefined : bytes.subarray(end + 1)) : readReply(head);
  } catch {
    return undefined;
  }
}

function readPost(head: Record<string, unknown>, body: Uint8Array | undefined): PostWord | undefined {
  const { from, id, transport, address, isOneEnvelope } = head;
  if (typeof from !== 'string' || typeof id !== 'string' || typeof address !== 'string') return undefined;
  return { kind: 'post', from, id, transport: String(transport), address, isOneEnvelope: isOneEnvelope === true, body };
}

function readReply({ kind, id, answer }: Record<string, unknown>): ReplyWord | undefined {
  if (typeof id !== 'string') return undefined;
  if (kind === 'has') return { kind, id };
  if (kind !== 'answer') return undefined;
  const { status, taken, expected } = answer as Record<string, unknown>;
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) return undefined;
  return {
    kind,
    id,
    answer: {
      status: Number(status),
      ...(typeof taken === 'number' ? { taken } : {}),
      ...(typeof expected === 'string' ? { expected } : {}),
    },
  };
}
