import { recordOf } from '@haip/history-engine';
import type { TransactionRecord } from '@haip/protocol';
import type { Caller } from './caller.ts';

/** What is kept of a transaction beside its messages; null when it is not known. @param log the key of its state. */
export async function readRecord(caller: Caller, log: string): Promise<TransactionRecord | null> {
  const [record, endedAt] = await caller.send<(string | null)[]>(['HMGET', log, 'r', 'e']);
  return typeof record === 'string' ? recordOf(record, endedAt == null ? null : Number(endedAt)) : null;
}
