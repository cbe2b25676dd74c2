import { randomUUID } from 'node:crypto';
import { bodyDigest, type Draft, type TransactionRecord } from '@haip/protocol';

export function draft(fields: Partial<Draft> = {}): Draft {
  const { type = 'MESSAGE', payload = 'hello', bytes } = fields;
  return {
    id: randomUUID(),
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

export function recordOf(transaction: string, fields: Partial<TransactionRecord> = {}): TransactionRecord {
  const referenceId = `reference-of-${transaction}`;
  return { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId, createdAt: 1, ...fields };
}

export function startOf({ starter }: TransactionRecord): Draft {
  return draft({ type: 'TRANSACTION_START', user: starter, payload: {} });
}
