// Says of each message that came whose it is: a request's answer, an own message's outcome, an entry for a reader. Keeps
// nothing; what comes behind a message waits until it is dealt with. Spec: §3, §4.

import type { Envelope, Received } from '@haip/protocol';
import type { ClientCore } from './core.ts';
import { entryOf } from './entry.ts';
import { ClientError, type Refusal, RefusedError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { answer, flush, type Page, refuse, settle } from './outbox.ts';
import type { Session } from './session.ts';
import { leave, type Stay } from './stay.ts';
import { yieldToWaiting } from './waiting.ts';
import { changeWindows } from './windows.ts';

export async function receive(received: Received, session: Session, core: ClientCore): Promise<void> {
  const { envelope } = received;
  const { type, transaction, seq, payload, related_id, ack } = envelope;
  const { transactions } = core;
  let fits: boolean | undefined;
  if (type === 'ERROR') {
    fail(envelope, session, core);
  } else if (seq === '0') {
    if (session.windows && /^FLOW_UPDATE|_CHANNEL$/.test(type)) {
      changeWindows(session.windows, envelope);
      flush(core);
    }
    // Whoever waits for the answer has the time to listen to what comes behind.
    if (answer(core, related_id, envelope)) await yieldToWaiting();
    if (fieldsOf(payload).verdict) fits = transactions.get(transaction)?.judge(envelope);
  } else {
    fits = place(received, session, core);
  }
  // Last: what a receipt names its position for, and what an ERROR wants again, is not just settled. Another connection
  // may have taken this one's place meanwhile: it has other numbers.
  if (ack && session === core.session) settle(core, Number(ack));
  core.changed();
  if (fits !== false) return;
  core.stats.faults++;
  const read = transactions.get(transaction)?.read;
  session.end('resume', new ClientError('fault', `Transaction ${transaction}: ${seq} came after ${read}.`), 1002);
}

/** What has a position: the answer to a replay, or the next stretch of a log. */
function place(received: Received, session: Session, core: ClientCore): boolean | undefined {
  const { transaction, seq, type } = received.envelope;
  const reader = core.transactions.get(transaction);
  const position = Number(seq);
  if (type !== 'INFO' && !(reader && position > reader.read)) {
    const page = pageOf(core, transaction);
    if (page && position <= (reader ?? page.asker).read) {
      page.entries.push(entryOf(received, position));
      return undefined;
    }
  }
  const stay: Stay = { received, session, holders: 1 };
  const fits = reader?.take(received, stay);
  if (type !== 'INFO') leave(stay);
  return fits;
}

/** What the replay that was asked for in that transaction was answered with so far. */
function pageOf({ items }: ClientCore, transaction: string | null): Page | undefined {
  return [...items.values()].find((item) => item.page && item.number && item.transaction === transaction)?.page;
}

function fail({ payload, related_id, transaction }: Envelope, session: Session, core: ClientCore): void {
  const { code, ...refusal } = payload as Refusal & { readonly code?: string };
  const error = new RefusedError(code, refusal);
  // A number is missing on this connection: nothing that is written on it will be taken any more.
  if (code === 'SEQ_VIOLATION') return session.end('resume', error, 1002);
  if (refuse(core, related_id, error, refusal.retry_after_ms)) return;
  // It answers the cursor that the HAI brought: nothing of that log would come on this connection.
  if (error.retry && core.transactions.has(transaction)) return session.end('resume', error);
  session.refusal = error;
  if (session.welcome) core.tellError(error);
}
