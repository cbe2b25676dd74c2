// What a test of a store writes, plain: nothing of it follows from anything else.

import { bodyDigest, type Draft, type TransactionRecord } from '@haip/protocol';

/** A MESSAGE of the user `ann` under a new id, unless the fields say otherwise. Its digest is that of its body. */
export function draft(fields: Partial<Draft> = {}): Draft {
  const { type = 'MESSAGE', payload = 'hello', bytes } = fields;
  return {
    id: crypto.randomUUID(),
    user: 'ann',
    session: 'session',
    ts: 1,
    channel: 'USER',
    type,
    payload,
    size: 100,
    digest: bodyDigest(type, payload, bytes),
    ...fields,
  };
}

/** The record of a transaction that `ann` started. */
export function recordOf(transaction: string, fields: Partial<TransactionRecord> = {}): TransactionRecord {
  const referenceId = `reference-of-${transaction}`;
  return { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId, createdAt: 1, ...fields };
}

/** Its first entry. */
export function startOf({ starter }: TransactionRecord): Draft {
  return draft({ type: 'TRANSACTION_START', user: starter, payload: {} });
}
