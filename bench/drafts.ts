// What is written to stores: cheap to make, so that the store is measured. Each id is new.

import { randomUUID } from 'node:crypto';
import { bodyDigest, type Draft, type JsonValue, subjectOf, type TransactionRecord } from '@haip/protocol';

const session = '6f1f5f0e-54d5-4dbb-a5a7-2f3f8c1f7c9b';
const text = 'A line of chat as people write it, neither very short nor very long: a hundred characters, about.';
const token = 'token ';

const digests = { text: bodyDigest('MESSAGE', text), token: bodyDigest('MESSAGE_PART', token) };

const idsBegin = randomUUID().slice(0, -12);
let ids = 0;

function freshId(): string {
  return idsBegin + (++ids).toString(16).padStart(12, '0');
}

export function message(): Draft {
  const at = { ts: Date.now(), channel: 'USER', session };
  return {
    id: freshId(),
    user: 'ann',
    ...at,
    type: 'MESSAGE',
    payload: text,
    size: text.length + 2,
    digest: digests.text,
  };
}

export function recordOf(transaction: string): TransactionRecord {
  return { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId: transaction, createdAt: Date.now() };
}

export function startOf({ tool }: TransactionRecord): Draft {
  return { ...message(), type: 'TRANSACTION_START', payload: { toolName: tool } };
}

/** The begin of the message of that id, which an agent streams. */
export function streamStart(messageId: string): Draft {
  return ofStream('MESSAGE_START', { message_id: messageId });
}

/** A token of it. */
export function streamToken(messageId: string): Draft {
  return ofStream('MESSAGE_PART', { message_id: messageId, text: token });
}

function ofStream(type: string, payload: JsonValue): Draft {
  const at = { ts: Date.now(), channel: 'AGENT', session };
  const subject = subjectOf(type, payload, '');
  return { id: freshId(), user: null, ...at, type, payload, size: 80, digest: digests.token, subject };
}
