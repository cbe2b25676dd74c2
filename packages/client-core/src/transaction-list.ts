// The answer to TRANSACTION_LIST, as an application reads it. Pure. Spec: §6.

import { isJsonObject, type JsonValue } from '@haip/protocol';
import { textField } from './text-field.ts';

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

export function readTransactionList(payload: JsonValue): TransactionList {
  const items = isJsonObject(payload) ? payload['transactions'] : [];
  const transactions = (Array.isArray(items) ? items : []).map((item: JsonValue): TransactionSummary => {
    const endedAt = textField(item, 'endedAt');
    return {
      transaction: textField(item, 'transaction') ?? '',
      toolName: textField(item, 'toolName') ?? '',
      createdAt: Number(textField(item, 'createdAt')),
      title: textField(item, 'title'),
      endedAt: endedAt === undefined ? undefined : Number(endedAt),
    };
  });
  return { transactions, next: textField(payload, 'next') };
}
