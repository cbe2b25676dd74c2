// What a chain makes of its links. A fold decides nothing: it takes in what was decided, so that every node, and a node
// that begins with a snapshot, comes to the same.

import type { JsonValue } from '@haip/protocol';

/** What became of a link that was taken in. */
export interface Taken {
  /** The link must stay for what is in it, until a later one releases it. */
  readonly holds: boolean;
  /** Sequences of earlier links that must stay no more. */
  readonly released: readonly number[];
}

export interface Fold<Change> {
  take(change: Change, link: { readonly seq: number; readonly at: number }): Taken;
  /** All of it, for a snapshot. */
  save(): Uint8Array;
  /** About how many things are in it. */
  readonly weight: number;
  /** The chain is about to be removed: nothing may be added to it any more. */
  readonly isOver?: boolean;
}

export interface FoldKind<Change, F extends Fold<Change>> {
  empty(): F;
  restore(saved: Uint8Array): F;
  /** The change that a link tells. */
  read(content: Uint8Array, { heading, aside }: Said): Change;
}

/** What a link's head says for the fold. */
export interface Said {
  /** How the fold stands after it, in short: small, and readable without the content. */
  readonly heading?: JsonValue | undefined;
  /** What belongs to the change but not into its content: the content should be the same when it is planned again. */
  readonly aside?: JsonValue | undefined;
}

/** What is to be added to a chain. */
export interface Addition<Change> extends Said {
  readonly change: Change;
  /** The change as {@link FoldKind.read} reads it. */
  readonly content: Uint8Array;
  /** Headers of its message, for those who are only told of it. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Plan<Change, Answer> {
  readonly answer: Answer;
  /** Absent: there is nothing to add. */
  readonly addition?: Addition<Change> | undefined;
  /** The answer holds even if others have added to the chain. Said only where there is nothing to add. */
  readonly isSure?: boolean | undefined;
}
