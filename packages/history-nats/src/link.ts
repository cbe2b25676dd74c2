// One link of a chain as it lies in a message: a head that ties it to the links before it, and a content that is whoever
// folds the chain's business. The decision: docs/decisions/0012.

import type { JsonValue } from '@haip/protocol';

/** The letters are what is in every message of every log, so they are short. */
export interface LinkHead {
  /** What the link is called. No two are called the same. */
  readonly u: string;
  /** What the link before it is called; `''` for the first. */
  readonly v: string;
  /** When it was added, in ms of the store's time. */
  readonly t: number;
  /** The links before it, newest first: the sequence of one, then how far back each next is. None at or below `b`. */
  readonly c: readonly number[];
  /** Sequence of the newest snapshot's link; 0 for none. */
  readonly s: number;
  /** The newest snapshot tells all up to the link of this sequence. */
  readonly b: number;
  /** `part`: a piece of a content that a later link names. `snap`: a snapshot. `note`: nothing. Absent: a change. */
  readonly k?: 'part' | 'snap' | 'note' | undefined;
  /** Sequences of the parts that are its content, in order. */
  readonly p?: readonly number[] | undefined;
  /** Parts that nobody will name any more. */
  readonly d?: readonly number[] | undefined;
  /** The snapshot whose superfluous links are removed. */
  readonly w?: number | undefined;
  /** How the fold stands after it, in short, for those who look at the newest link and fold nothing. */
  readonly x?: JsonValue | undefined;
  /** What belongs to the change but not into its content: parts that are there already need not change with it. */
  readonly y?: JsonValue | undefined;
}

export interface Link {
  readonly seq: number;
  readonly head: LinkHead;
  /** Empty when it is in parts. */
  readonly content: Uint8Array;
  /** Bytes of the message. */
  readonly size: number;
}

export function encodeLink(head: LinkHead, content: Uint8Array): Buffer {
  return joinTexts(JSON.stringify(head), content);
}

export function decodeLink({ seq, data }: { readonly seq: number; readonly data: Uint8Array }): Link {
  const { text, rest } = splitText(data);
  return { seq, head: JSON.parse(text) as LinkHead, content: rest, size: data.length };
}

/** A text and bytes behind it, in one: the text's length comes first. */
export function joinTexts(text: string, ...bytes: readonly Uint8Array[]): Buffer {
  const head = Buffer.from(text);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, ...bytes]);
}

/** @throws RangeError when it is cut short. */
export function splitText(data: Uint8Array): { readonly text: string; readonly rest: Uint8Array } {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length);
  const end = 4 + buffer.readUInt32LE(0);
  if (end > buffer.length) throw new RangeError(`link: expected ${end} bytes, got ${buffer.length}`);
  return { text: buffer.toString('utf8', 4, end), rest: data.subarray(end) };
}
