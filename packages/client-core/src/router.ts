// Says for each message that came whose it is: the answer to a request, the settling of the outbox, the next entry of
// a transaction. Ends the session when the server broke a rule. Spec: §3, §4.

import { type Envelope, isJsonObject, type Received, readDecimal } from '@haip/protocol';
import { ClientError, RefusedError } from './errors.ts';
import { entryTypes } from './handshake.ts';
import type { Outbox } from './outbox.ts';
import type { ClientStats, Reader } from './reader.ts';
import type { Session } from './session.ts';
import { textField } from './text-field.ts';
import type { Transactions } from './transactions.ts';
import { yieldToWaiting } from './waiting.ts';

export interface RouterParts {
  readonly outbox: Outbox;
  readonly transactions: Transactions;
  readonly stats: ClientStats;
  /** An ERROR that answers nothing known. */
  readonly unclaimed: (error: RefusedError) => void;
}

export class Router {
  readonly #parts: RouterParts;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /** Takes what came. A promise when the reading has to wait for the application. */
  receive(received: Received, session: Session): void | Promise<void> {
    const { envelope } = received;
    if (envelope.type === 'ERROR') this.#refuse(envelope, session);
    else if (session.plain) return this.#receivePlain(received);
    const pending = envelope.type === 'ERROR' ? undefined : this.#route(received, session);
    // Last: what a receipt names its position for, and what an ERROR wants again, is not just settled.
    if (envelope.ack !== undefined) this.#parts.outbox.settle(readDecimal(envelope.ack));
    return pending;
  }

  #route(received: Received, session: Session): void | Promise<void> {
    const { envelope } = received;
    const reader = this.#reader(envelope);
    if (envelope.type === 'INFO') {
      const kind = textField(envelope.payload, 'kind');
      if (kind === 'replayed') this.#parts.outbox.answer(envelope.related_id, envelope);
      else if (kind === 'receipt') this.#demand(reader?.takeReceipt(envelope, session.id), received, session);
      else if (kind === 'position') this.#demand(reader?.takeNotice(envelope), received, session);
    } else if (envelope.seq !== '0') {
      this.#demand(reader?.take(received, session.id), received, session);
    } else {
      return this.#answer(received, session);
    }
    return undefined;
  }

  #reader({ transaction }: Envelope): Reader | undefined {
    return this.#parts.transactions.reader(transaction);
  }

  /** The answer to a request, or a verdict on a cursor, or both. */
  #answer(received: Received, session: Session): void | Promise<void> {
    const { envelope } = received;
    const judge = (): void => {
      if (textField(envelope.payload, 'verdict') === undefined) return;
      this.#demand(this.#reader(envelope)?.judge(envelope.payload), received, session);
    };
    if (!this.#parts.outbox.answer(envelope.related_id, envelope)) return judge();
    return yieldToWaiting().then(judge);
  }

  /** Ends the session when what came did not fit where reading stopped. */
  #demand(fits: boolean | undefined, { envelope }: Received, session: Session): void {
    if (fits !== false) return;
    this.#parts.stats.faults++;
    const { transaction, from_seq, seq } = envelope;
    const read = this.#reader(envelope)?.read;
    session.fault(
      new ClientError('fault', `Transaction ${transaction}: after ${read} came ${from_seq ?? seq}…${seq}.`),
    );
  }

  #refuse(envelope: Envelope, session: Session): void {
    const { payload } = envelope;
    const code = textField(payload, 'code') ?? 'INTERNAL_ERROR';
    const error = new RefusedError(code === 'FAILED_AUTH' ? 'AUTHENTICATION_FAILED' : code, {
      message: textField(payload, 'message'),
      retry: isJsonObject(payload) && payload['retry'] === true,
      expected: textField(payload, 'expected'),
      got: textField(payload, 'got'),
    });
    // A number is missing on this connection: nothing that is written on it will be taken any more.
    if (code === 'SEQ_VIOLATION') return session.fault(error);
    const { outbox } = this.#parts;
    const nameless = session.plain ? outbox.oldest('TRANSACTION_START')?.draft.id : undefined;
    if (outbox.refuse(envelope.related_id ?? nameless, error)) return;
    session.refusal = error;
    if (session.welcome !== undefined) this.#parts.unclaimed(error);
  }

  /** A plain v1 server's answers name no request, and its entries have no positions. */
  #receivePlain(received: Received): void | Promise<void> {
    const { envelope } = received;
    const { outbox } = this.#parts;
    if (envelope.type === 'TRANSACTION_START') {
      const start = outbox.oldest('TRANSACTION_START', textField(envelope.payload, 'referenceId'));
      return outbox.answer(start?.draft.id, envelope) ? yieldToWaiting() : undefined;
    }
    if (entryTypes.includes(envelope.type)) this.#reader(envelope)?.takePlain(received);
    return undefined;
  }
}
