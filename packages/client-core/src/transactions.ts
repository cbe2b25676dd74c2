// The transactions of a client: how one is opened, which are open, and who reads each. Spec: §2, §4.

import { type Envelope, type Ids, isId, type JsonValue, type Logger } from '@haip/protocol';
import { ask } from './ask.ts';
import { RefusedError } from './errors.ts';
import type { ResumeItem } from './handshake.ts';
import type { Outbox } from './outbox.ts';
import type { Outgoing } from './outgoing.ts';
import { type ClientStats, Reader } from './reader.ts';
import { textField } from './text-field.ts';
import { Transaction } from './transaction.ts';
import type { Cursor } from './transaction-events.ts';

export interface TransactionsParts {
  readonly outbox: Outbox;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly stats: ClientStats;
}

export class Transactions {
  readonly #parts: TransactionsParts;
  /** Where what comes is routed: open transactions, and closed ones while they are replayed. */
  readonly #readers = new Map<string, Reader>();
  readonly #faces = new WeakMap<Reader, Transaction>();
  /** Set while the server is one that keeps no log. */
  plain: { readonly session: string } | undefined;

  constructor(parts: TransactionsParts) {
    this.#parts = parts;
  }

  reader(transaction: string | null): Reader | undefined {
    return transaction === null ? undefined : this.#readers.get(transaction);
  }

  start(toolName: string, params: JsonValue, signal: AbortSignal | undefined): Promise<Transaction> {
    const { ids } = this.#parts;
    return this.#open('TRANSACTION_START', ids(), { toolName, params }, signal, ({ payload }) => ({
      epoch: textField(payload, 'epoch') ?? '',
      position: 0,
    }));
  }

  async join(id: string, cursor: Cursor | undefined, signal: AbortSignal | undefined): Promise<Transaction> {
    if (!isId(id)) throw new TypeError('id: expected 1 to 128 characters of A-Z a-z 0-9 _ . : -');
    const reader = this.#openReader(id);
    if (reader !== undefined) return this.#face(reader);
    const payload = cursor === undefined ? {} : { epoch: cursor.epoch, seq: String(cursor.position) };
    return this.#open('TRANSACTION_JOIN', id, payload, signal, () => cursor);
  }

  /** The cursors to bring to the next connection. */
  resumeItems(): ResumeItem[] {
    return [...this.#readers.values()].flatMap(({ transaction, epoch, read, closed, plain }) =>
      closed || plain || epoch === undefined ? [] : [{ transaction, epoch, seq: String(read) }],
    );
  }

  close(reason: Error | undefined): void {
    for (const reader of [...this.#readers.values()]) reader.close(reason);
  }

  /** Asks for a transaction. Its reader is there before the next message is looked at. */
  async #open(
    type: string,
    reference: string,
    payload: JsonValue,
    signal: AbortSignal | undefined,
    cursorOf: (answer: Envelope) => Cursor | undefined,
  ): Promise<Transaction> {
    const { outbox, ids } = this.#parts;
    let reader: Reader | undefined;
    const begin = (answer: Envelope, item: Outgoing): void => {
      if (textField(answer.payload, 'verdict') === 'refused') return;
      const transaction = answer.transaction ?? reference;
      reader = this.#openReader(transaction) ?? this.#follow(transaction, cursorOf(answer));
      reader.plain = this.plain;
      if (this.plain === undefined) reader.own.set(item.draft.id, item);
    };
    const draft = { id: ids(), type, transaction: reference, payload };
    const answer = await ask(outbox, draft, signal, begin);
    if (reader === undefined) throw new RefusedError(textField(answer.payload, 'code') ?? 'RESUME_FAILED');
    return this.#face(reader);
  }

  #openReader(transaction: string): Reader | undefined {
    const reader = this.#readers.get(transaction);
    return reader?.closed === undefined ? reader : undefined;
  }

  #follow(transaction: string, cursor: Cursor | undefined): Reader {
    const { outbox, logger, stats } = this.#parts;
    const reader = new Reader(transaction, logger, stats, cursor);
    // A replay of the one that was there can not go on: what comes is for this one.
    const old = this.#readers.get(transaction);
    if (old !== undefined) old.page = undefined;
    this.#readers.set(transaction, reader);
    reader.events.on('closed', (reason) => {
      this.#letGo(reader);
      if (reason !== undefined) outbox.close(reason, transaction);
    });
    return reader;
  }

  #face(reader: Reader): Transaction {
    const known = this.#faces.get(reader);
    if (known !== undefined) return known;
    const { outbox, ids } = this.#parts;
    const { transaction } = reader;
    const keep = (): void => {
      if (!this.#readers.has(transaction)) this.#readers.set(transaction, reader);
    };
    const face = new Transaction({ reader, outbox, ids, keep, letGo: () => this.#letGo(reader) });
    this.#faces.set(reader, face);
    return face;
  }

  #letGo(reader: Reader): void {
    const { transaction, closed, replays } = reader;
    if (closed !== undefined && replays === 0 && this.#readers.get(transaction) === reader) {
      this.#readers.delete(transaction);
    }
  }
}
