import type { Envelope } from '@haip/protocol';
import type { Outbox } from './outbox.ts';
import type { Draft, Outgoing } from './outgoing.ts';

/**
 * Asks the server something, over as many connections as it takes. `answered` is called at once with the answer, before
 * anything behind it is looked at; the promise comes later. Rejects with the server's ERROR, the signal's reason, or
 * when the client is closed.
 */
export async function ask(
  outbox: Outbox,
  draft: Draft,
  signal: AbortSignal | undefined,
  answered: (envelope: Envelope, item: Outgoing) => void = () => {},
): Promise<Envelope> {
  const { promise, resolve, reject } = Promise.withResolvers<Envelope>();
  const take = (envelope: Envelope): void => {
    answered(envelope, item);
    resolve(envelope);
  };
  const item = outbox.add({ ...draft, answered: take }, signal);
  item.outcome.catch(reject);
  return promise;
}
