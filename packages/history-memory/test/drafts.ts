import type { Draft, HistoryStore, TransactionRecord } from '@haip/protocol';

let ids = 0;

export function draft(fields: Partial<Draft> = {}): Draft {
  return {
    id: `id-${++ids}`,
    user: 'ann',
    session: 'session',
    ts: 0,
    channel: 'USER',
    type: 'MESSAGE',
    payload: 'hello',
    size: 100,
    digest: 'digest',
    ...fields,
  };
}

/** A START, PART or END of a message by the agent. */
export function piece(step: 'open' | 'part' | 'end', id: string, fields: Partial<Draft> = {}): Draft {
  const type = { open: 'MESSAGE_START', part: 'MESSAGE_PART', end: 'MESSAGE_END' }[step];
  const payload = { message_id: id, ...(step === 'end' ? { text: 'whole', start_seq: '1' } : {}) };
  return draft({ user: null, type, payload, subject: { key: `message:${id}`, step }, ...fields });
}

export function create(store: HistoryStore, transaction: string, starter = 'ann'): void {
  const record: TransactionRecord = {
    transaction,
    starter,
    tool: 'echo',
    params: {},
    referenceId: `reference-of-${transaction}`,
    createdAt: 0,
  };
  void store.create(record, draft({ type: 'TRANSACTION_START', user: starter }));
}
