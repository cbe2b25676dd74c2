import { randomUUID } from 'node:crypto';
import { bodyDigest, type Draft, type TransactionRecord } from '@haip/protocol';

const payload = 'A line of chat as people write it, neither very short nor very long: a hundred characters, about.';

export function message(): Draft {
  const size = payload.length + 2;
  const at = { ts: Date.now(), channel: 'USER', session: '6f1f5f0e-54d5-4dbb-a5a7-2f3f8c1f7c9b' };
  return {
    id: randomUUID(),
    user: 'ann',
    ...at,
    type: 'MESSAGE',
    payload,
    size,
    digest: bodyDigest('MESSAGE', payload),
  };
}

export function recordOf(transaction: string): TransactionRecord {
  return { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId: transaction, createdAt: Date.now() };
}

export function startOf({ tool }: TransactionRecord): Draft {
  return { ...message(), type: 'TRANSACTION_START', payload: { toolName: tool } };
}
