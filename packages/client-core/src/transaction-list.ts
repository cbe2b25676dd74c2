// The answer to TRANSACTION_LIST, as an application reads it. Pure. Spec: §6.

import type { JsonValue } from '@haip/protocol';

export interface TransactionSummary {
  readonly transaction: string;
  readonly toolName: string;
  /** Milliseconds since epoch. */
  readonly createdAt: number;
  readonly title?: string | undefined;
  readonly endedAt?: number | undefined;
}

export interface TransactionList {
  readonly transactions: readonly TransactionSummary[];
  /** Give this as `after` to get the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** Times travel as decimal strings. */
export function readTransactionList(payload: JsonValue): TransactionList {
  const { transactions, next } = payload as unknown as TransactionList;
  const list = transactions.map(({ createdAt, endedAt, ...item }) => ({
    ...item,
    createdAt: Number(createdAt),
    endedAt: endedAt && Number(endedAt),
  }));
  return { transactions: list, next };
}
