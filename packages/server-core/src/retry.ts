// A message that was stored before is settled as the first time, whatever changed since; so no message of the log's is
// refused before the store was asked. Spec: §3, the order of checks.

import { Fault, type Pending } from '@haip/protocol';
import type { ServerContext } from './context.ts';
import { digestOf, type Submission } from './drafting.ts';

/** What becomes of a message. */
export interface Fate {
  /** It is in the log. */
  settle(submission: Submission): void;
  /** It is refused. */
  answer(submission: Submission, fault: Fault): void;
  /** The store did not say. */
  unknown(submission: Submission, error: unknown): void;
}

/** The id stands for another message, which is stored. */
export const usedId = new Fault('PROTOCOL_VIOLATION', { expected: 'a new id for another message', got: 'a used id' });

/** Settles a message whose id is in the log already, unless that one has another body. */
export function settleRepeat(submission: Submission, digest: string, fate: Fate): void {
  if (digest === digestOf(submission)) fate.settle(submission);
  else fate.answer(submission, usedId);
}

/** Refuses a message, unless it is stored already. */
export function refuseUnlessStored(
  { history, charges, logs }: ServerContext,
  user: string,
  submission: Submission,
  fault: Fault,
  fate: Fate,
): Pending {
  const { id } = submission.envelope;
  const transaction = submission.envelope.transaction ?? '';
  const decide = (place: { readonly digest: string } | null): void => {
    if (place) settleRepeat(submission, place.digest, fate);
    else fate.answer(submission, fault);
  };
  const failed = (error: unknown): void => fate.unknown(submission, error);
  // Another connection may have one of that id stored meanwhile: what that costs is not given back.
  const letGo = charges?.hold(user, submission.envelope);
  const find = () => history.find(transaction, user, id);
  try {
    // It may have come before, over a connection that ended while it was being stored: only then is it known.
    const earlier = logs.storing(transaction, user, id);
    const found = earlier === undefined ? find() : earlier.then(find, find);
    if (found instanceof Promise) return found.then(decide, failed).finally(letGo);
    decide(found);
  } catch (error) {
    failed(error);
  }
  letGo?.();
}
