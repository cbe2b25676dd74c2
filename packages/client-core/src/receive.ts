// Says of each message that came whose it is: a request's answer, an own message's outcome, an entry for a reader. Keeps
// nothing; what comes behind a message waits until it is dealt with. Spec: §3, §4.

import type { Envelope, Received } from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { entryOf } from './entry.ts';
import { ClientError, type Refusal, RefusedError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import type { Outbox } from './outbox.ts';
import type { Session } from './session.ts';
import { Stay } from './stay.ts';
import { yieldToWaiting } from './waiting.ts';

export async function receive(received: Received, session: Session, core: ClientCore): Promise<void> {
  const { envelope } = received;
  const { type, transaction, seq, payload, related_id, ack } = envelope;
  const { kind, verdict } = fieldsOf(payload);
  const { outbox, transactions, stats } = core;
  const reader = transactions.get(transaction);
  let fits: boolean | undefined;
  if (type === 'ERROR') {
    refuse(envelope, session, core);
  } else if (type === 'INFO') {
    if (kind === 'replayed') outbox.answer(related_id, envelope);
    else if (kind === 'receipt' || kind === 'position') fits = reader?.take(received);
  } else if (type === 'FLOW_UPDATE' || type.endsWith('_CHANNEL')) {
    session.windows?.change(envelope);
    outbox.flush();
  } else if (seq === '0') {
    await answer(outbox, related_id, envelope);
    if (verdict) fits = transactions.get(transaction)?.judge(payload);
  } else {
    const page = outbox.pages.get(transaction);
    const position = Number(seq);
    if (page && position <= (reader ?? page.asker).read) {
      page.entries.push(entryOf(received, position));
    } else {
      const stay = new Stay(received, session);
      fits = reader?.take(received, stay);
      stay.leave();
    }
  }
  // Last: what a receipt names its position for, and what an ERROR wants again, is not just settled. Another connection
  // may have taken this one's place meanwhile: it has other numbers.
  if (ack && session === outbox.session) outbox.settle(Number(ack));
  core.changed();
  if (fits !== false) return;
  stats.faults++;
  session.end(
    'resume',
    new ClientError('fault', `Transaction ${transaction}: ${seq} came after ${reader?.read}.`),
    1002,
  );
}

/** Gives a request its answer, and whoever waits for it the time to listen to what comes behind. */
async function answer(outbox: Outbox, id: string | undefined, envelope: Envelope): Promise<void> {
  if (outbox.answer(id, envelope)) await yieldToWaiting();
}

function refuse(envelope: Envelope, session: Session, { outbox, transactions, tellError }: ClientCore): void {
  const { payload, related_id, transaction } = envelope;
  const { code, ...refusal } = payload as Refusal & { readonly code?: string };
  const error = new RefusedError(code, refusal);
  // A number is missing on this connection: nothing that is written on it will be taken any more.
  if (code === 'SEQ_VIOLATION') return session.end('resume', error, 1002);
  if (outbox.refuse(related_id, error)) return;
  // It answers the cursor that the HAI brought: nothing of that log would come on this connection.
  if (error.retry && transactions.has(transaction)) return session.end('resume', error);
  session.refusal = error;
  if (session.welcome) tellError(error);
}
