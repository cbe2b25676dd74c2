// One or more valid payloads of every event type, as each side writes them: what mutation begins with. Texts carry a
// canary, so that an answer which quotes its input gives itself away.

import { type Envelope, type EventName, eventTypes, type JsonValue } from '@haip/protocol';

/** Stands in payloads; no answer but the entry itself may contain it. */
export const canary = 'canary-payload-5f1c';
/** Stands in credentials; nothing at all may contain it. */
export const secretCanary = 'canary-secret-91ab';

type Payloads = Partial<Record<EventName, readonly Exclude<JsonValue, null>[]>>;

const part = { message_id: 'm-1', text: canary };
const call = { call_id: 'c-1', tool: 'echo', params: { q: canary } };

/** As clients write them. A type that only servers write is there too, as a client would wrongly write it. */
export const fromClient: Payloads = {
  HAI: [
    {
      haip_version: '1.1.2',
      accept_major: [1],
      accept_events: ['HAI', 'MESSAGE'],
      capabilities: { binary_frames: true, flow_control: { initial_credit_messages: 8 }, transaction_log: true },
      auth: { token: secretCanary },
      resume_token: 'x.y.z',
      attempt: '2',
      resume: [{ transaction: 't-1', epoch: 'e-1', seq: '3' }],
    },
  ],
  PING: [{}, { nonce: canary }],
  PONG: [{}],
  INFO: [{ kind: 'typing' }],
  ERROR: [{ code: 'INTERNAL_ERROR', message: canary, retry: true }],
  FLOW_UPDATE: [{ channel: 'USER', add_messages: 4, add_bytes: 4096 }],
  PAUSE_CHANNEL: [{ channel: 'AGENT' }],
  RESUME_CHANNEL: [{ channel: 'AGENT' }],
  TRANSACTION_START: [{ toolName: 'echo', params: { title: canary } }],
  TRANSACTION_JOIN: [{}, { epoch: 'e-1', seq: '0' }],
  TRANSACTION_LEAVE: [{}],
  TRANSACTION_END: [{ reason: 'done' }],
  TRANSACTION_LIST: [{}, { after: 't-1' }],
  REPLAY_REQUEST: [{ from_seq: '1' }, { from_seq: '1', to_seq: '5' }],
  MESSAGE: [canary, { question: canary, numbers: [1, 2.5, -3e2], nested: { deep: [true, false, null] } }],
  MESSAGE_START: [{ message_id: 'm-1', author: 'A', text: canary }],
  MESSAGE_PART: [part],
  MESSAGE_END: [{ message_id: 'm-1', tokens: 3, status: 'complete' }],
  MESSAGE_UPDATE: [part, { message_id: 'm-1', delete: true }],
  AUDIO: [{ message_id: 'm-2', mime: 'audio/webm;codecs=opus', duration_ms: 20 }, { data: 'AAEC' }],
  RUN_STARTED: [{ run_id: 'r-1' }],
  RUN_FINISHED: [{ status: 'OK', summary: canary }],
  RUN_CANCEL: [{ run_id: 'r-1', heard_ms: 100 }],
  RUN_ERROR: [{ code: 'TOOL_EXECUTION_ERROR' }],
  TOOL_LIST: [{}],
  TOOL_SCHEMA: [{ tool: 'echo' }],
  TOOL_CALL: [call],
  TOOL_UPDATE: [{ call_id: 'c-1', status: 'WAITING', progress: 0.5, partial: canary, ask: { text: canary } }],
  TOOL_DONE: [{ call_id: 'c-1', status: 'OK', result: canary }],
  TOOL_CANCEL: [{ call_id: 'c-1', reason: canary }],
};

/** As servers write them, where that differs. */
export const fromServer: Payloads = {
  ...fromClient,
  HAI: [{ haip_version: '1.1.2', accept_major: [1], limits: { max_joined: 100 }, resume_token: 'x.y.z' }],
  INFO: [{ kind: 'receipt' }, { kind: 'replayed', first: '1', to: '5', next: '6' }],
  TRANSACTION_START: [{ referenceId: 'ref-1', toolName: 'echo', epoch: 'e-1' }],
  TRANSACTION_JOIN: [
    { verdict: 'resumed', epoch: 'e-1', seq: '0', last: '5' },
    { verdict: 'gap', epoch: 'e-1', first: '3', last: '5' },
    { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' },
  ],
  TRANSACTION_LIST: [{ transactions: [{ transaction: 't-1', toolName: 'echo', createdAt: '1' }], next: 't-1' }],
  MESSAGE_END: [{ message_id: 'm-1', start_seq: '2', text: canary }],
  TOOL_LIST: [{ tools: [{ name: 'echo', description: canary }] }],
  TOOL_SCHEMA: [{ tool: 'echo', schema: { type: 'string' } }],
};

const names = Object.keys(eventTypes) as EventName[];
/** Names that older software writes, and one that nobody knows. */
const otherNames = ['START_TRANSACTION', 'AUDIO_CHUNK', 'NOBODY_KNOWS'];

export interface ValidMessages {
  readonly payloads: Payloads;
  readonly transaction: string;
  readonly session: string;
}

/** A valid envelope of a type that `choose` picks, with some of the optional fields. */
export function validEnvelope(
  { payloads, transaction, session }: ValidMessages,
  choose: <Item>(items: readonly Item[]) => Item,
  id: string,
  seq: string,
): Envelope {
  const type = choose([...names, ...otherNames]);
  const optional = choose<Partial<Envelope>>([
    {},
    {},
    {},
    { ack: '1' },
    { from_seq: '1' },
    { pv: 1 },
    { crit: true },
    { run_id: 'r-1', thread_id: canary },
    { related_id: 'm-9' },
    { bin_len: 3, bin_mime: 'audio/opus' },
  ]);
  return {
    id,
    transaction: choose([transaction, transaction, transaction, null]),
    session,
    seq,
    ts: '1790000000000',
    channel: choose(['USER', 'USER', 'USER', 'AGENT', 'SYSTEM']),
    type,
    payload: choose(payloads[type as EventName] ?? [canary]),
    ...optional,
  };
}
