// Says of each message that came whose it is: a request's answer, an own message's outcome, an entry for a reader. Keeps
// nothing; what comes behind a message waits until it is dealt with. Spec: §3, §4.

import { type Envelope, entryTypes, type Received } from '@haip/protocol';
import { entryOf } from './entry.ts';
import { ClientError, type Refusal, RefusedError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import type { OpenTransaction } from './open-transaction.ts';
import type { Outbox } from './outbox.ts';
import type { ClientStats } from './reader.ts';
import type { Session } from './session.ts';
import { Stay } from './stay.ts';
import { yieldToWaiting } from './waiting.ts';

export interface ReceiverParts {
  readonly outbox: Outbox;
  readonly transactions: ReadonlyMap<string | null, OpenTransaction>;
  readonly stats: ClientStats;
  /** Called after each message. */
  changed(): void;
  /** Told of an ERROR that answers nothing of this client. */
  tell(error: RefusedError): void;
}

export async function receive(received: Received, session: Session, parts: ReceiverParts): Promise<void> {
  const { envelope } = received;
  const { type, transaction, seq, payload, related_id, ack } = envelope;
  const { kind, verdict, referenceId } = fieldsOf(payload);
  const { outbox, transactions, stats } = parts;
  const reader = transactions.get(transaction);
  let fits: boolean | undefined;
  if (type === 'ERROR') {
    refuse(envelope, session, parts);
  } else if (session.plain) {
    // Its answers name no request, and its entries have no positions.
    if (type === 'TRANSACTION_START') await answer(outbox, outbox.oldestStart(referenceId), envelope);
    else if (entryTypes.includes(type)) reader?.takePlain(received);
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
  parts.changed();
  if (fits !== false) return;
  stats.faults++;
  session.fault(new ClientError('fault', `Transaction ${transaction}: ${seq} came after ${reader?.read}.`));
}

/** Gives a request its answer, and whoever waits for it the time to listen to what comes behind. */
async function answer(outbox: Outbox, id: string | undefined, envelope: Envelope): Promise<void> {
  if (outbox.answer(id, envelope)) await yieldToWaiting();
}

function refuse(envelope: Envelope, session: Session, { outbox, transactions, tell }: ReceiverParts): void {
  const { payload, related_id, transaction } = envelope;
  const { code, ...refusal } = payload as Refusal & { readonly code?: string };
  const error = new RefusedError(code === 'FAILED_AUTH' ? 'AUTHENTICATION_FAILED' : code, refusal);
  // A number is missing on this connection: nothing that is written on it will be taken any more.
  if (code === 'SEQ_VIOLATION') return session.fault(error);
  const id = related_id ?? (session.plain ? outbox.oldestStart() : undefined);
  if (outbox.refuse(id, error, refusal.retry_after_ms)) return;
  // It answers the cursor that the HAI brought: nothing of that log would come on this connection.
  if (error.retry && transactions.has(transaction)) return session.end('resume', 1001, error);
  session.refusal = error;
  if (session.welcome) tell(error);
}
