// Turns a log into what people see: messages with their text so far, runs, tool calls, who takes part. Pure and
// tolerant: an entry it does not understand changes nothing but the position. A log reduced before and after
// compaction gives the same conversation. Spec: §4, §6.

import type { Entry } from './contracts/history-store.ts';
import { isDecimal } from './grammar.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** What the reducer reads of an entry: all but who its user is, which clients are not told, and its size. */
export type ConversationEntry = Omit<Entry, 'user' | 'size'>;

export interface ConversationMessage {
  readonly id: string;
  /** Where it began in the log; messages are in this order. */
  readonly position: number;
  readonly session: string;
  readonly channel: string;
  readonly author?: string | undefined;
  /** Milliseconds since epoch of the entry that completed it, or of its newest one so far. */
  readonly ts: number;
  readonly text: string;
  /** The payload of a message that came whole. */
  readonly payload?: JsonValue | undefined;
  readonly audio?: { readonly bytes?: Uint8Array | undefined; readonly mime: string } | undefined;
  /** `open` while text still comes; else what ended it: `complete`, `interrupted`, `cancelled` … */
  readonly status: string;
  readonly runId?: string | undefined;
  readonly edited?: boolean | undefined;
  readonly deleted?: boolean | undefined;
}

export interface ConversationRun {
  readonly id: string;
  readonly status: string;
  readonly summary?: string | undefined;
}

export interface ConversationCall {
  readonly id: string;
  readonly tool: string;
  readonly params?: JsonValue | undefined;
  readonly status: string;
  readonly progress?: number | undefined;
  readonly ask?: JsonValue | undefined;
  readonly result?: JsonValue | undefined;
}

/** A stretch of the log that was no longer kept when this reader came to it. */
export interface ConversationGap {
  readonly first: number;
  readonly last: number;
}

export interface Conversation {
  /** The last position that was reduced. */
  readonly position: number;
  /** In the order they began. */
  readonly messages: readonly ConversationMessage[];
  readonly runs: readonly ConversationRun[];
  readonly calls: readonly ConversationCall[];
  /** Sessions that joined and did not leave. */
  readonly participants: readonly string[];
  readonly gaps: readonly ConversationGap[];
  readonly ended: boolean;
}

export const emptyConversation: Conversation = {
  position: 0,
  messages: [],
  runs: [],
  calls: [],
  participants: [],
  gaps: [],
  ended: false,
};

type Reducer = (conversation: Conversation, entry: ConversationEntry, payload: JsonObject) => Partial<Conversation>;

const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** The list with the item of that id changed, or with a new one at its end. Looks from the end: what is open is near it. */
function put<T extends { readonly id: string }>(
  list: readonly T[],
  id: string,
  change: (old: T | undefined) => T,
): T[] {
  const at = list.findLastIndex((item) => item.id === id);
  return at === -1 ? [...list, change(undefined)] : list.with(at, change(list[at]));
}

function putMessage(
  { messages }: Conversation,
  entry: ConversationEntry,
  id: string,
  change: (old: ConversationMessage) => Partial<ConversationMessage>,
): Partial<Conversation> {
  const fresh: ConversationMessage = {
    id,
    position: entry.position,
    session: entry.session,
    channel: entry.channel,
    ts: entry.ts,
    text: '',
    status: 'open',
    ...(entry.run_id === undefined ? {} : { runId: entry.run_id }),
  };
  return { messages: put(messages, id, (old = fresh) => ({ ...old, ...change(old) })) };
}

const wholeMessage: Reducer = (conversation, entry, payload) =>
  putMessage(conversation, entry, entry.id, () => ({
    text: text(entry.payload) ?? text(payload['text']) ?? '',
    payload: entry.payload,
    status: 'complete',
  }));

const messageStart: Reducer = (conversation, entry, payload) =>
  putMessage(conversation, entry, text(payload['message_id']) ?? entry.id, () => ({
    text: text(payload['text']) ?? '',
    status: 'open',
    ...(typeof payload['author'] === 'string' ? { author: payload['author'] } : {}),
  }));

const messagePart: Reducer = (conversation, entry, payload) =>
  putMessage(conversation, entry, text(payload['message_id']) ?? entry.id, (old) => ({
    text: old.text + (text(payload['text']) ?? ''),
    ts: entry.ts,
  }));

/** A long END may come alone for a message that began before others that are shown; its START says where it belongs. */
const messageEnd: Reducer = (conversation, entry, payload) => {
  const change = putMessage(conversation, entry, text(payload['message_id']) ?? entry.id, (old) => ({
    position: isDecimal(payload['start_seq']) ? Number(payload['start_seq']) : old.position,
    session: entry.session,
    channel: entry.channel,
    text: text(payload['text']) ?? old.text,
    ts: entry.ts,
    status: text(payload['status']) ?? 'complete',
    ...(entry.run_id === undefined ? {} : { runId: entry.run_id }),
    ...(typeof payload['author'] === 'string' ? { author: payload['author'] } : {}),
  }));
  return { messages: change.messages?.toSorted((a, b) => a.position - b.position) ?? [] };
};

const messageUpdate: Reducer = (conversation, _entry, payload) => {
  const id = payload['message_id'];
  if (!conversation.messages.some((message) => message.id === id)) return {};
  return {
    messages: put(conversation.messages, id as string, (old) => ({
      ...(old as ConversationMessage),
      payload: undefined,
      ...(payload['delete'] === true
        ? { text: '', audio: undefined, deleted: true }
        : { text: text(payload['text']) ?? '', edited: true }),
    })),
  };
};

const audio: Reducer = (conversation, entry, payload) =>
  putMessage(conversation, entry, text(payload['message_id']) ?? entry.id, (old) => ({
    audio: { bytes: entry.bytes, mime: entry.mime ?? text(payload['mime']) ?? 'application/octet-stream' },
    status: old.position === entry.position ? 'complete' : old.status,
  }));

const runStarted: Reducer = ({ runs }, entry) => ({
  runs: put(runs, entry.run_id ?? entry.id, () => ({ id: entry.run_id ?? entry.id, status: 'RUNNING' })),
});

const runEnded: Reducer = ({ runs }, entry, payload) => ({
  runs: put(runs, entry.run_id ?? entry.id, () => ({
    id: entry.run_id ?? entry.id,
    status: entry.type === 'RUN_ERROR' ? 'ERROR' : (text(payload['status']) ?? 'OK'),
    ...(typeof payload['summary'] === 'string' ? { summary: payload['summary'] } : {}),
  })),
});

const finalStatuses: ReadonlySet<string> = new Set(['OK', 'CANCELLED', 'ERROR', 'DENIED', 'INTERRUPTED']);

const call: Reducer = ({ calls }, entry, payload) => {
  const id = text(payload['call_id']) ?? entry.id;
  // An approval has a terminal of its own, so it can come after the call's.
  const over = calls.some((item) => item.id === id && finalStatuses.has(item.status));
  if (over && entry.type === 'TOOL_UPDATE') return {};
  const status = text(payload['status']) ?? (entry.type === 'TOOL_CALL' ? 'QUEUED' : 'OK');
  return {
    calls: put(calls, id, (old = { id, tool: text(payload['tool']) ?? '', status }) => ({
      ...old,
      status,
      ...(payload['params'] === undefined ? {} : { params: payload['params'] }),
      ...(typeof payload['progress'] === 'number' ? { progress: payload['progress'] } : {}),
      ...(payload['ask'] === undefined ? {} : { ask: payload['ask'] }),
      ...(payload['result'] === undefined ? {} : { result: payload['result'] }),
    })),
  };
};

const joined: Reducer = ({ participants }, { session }) =>
  participants.includes(session) ? {} : { participants: [...participants, session] };

const left: Reducer = ({ participants }, { session }) => ({
  participants: participants.filter((participant) => participant !== session),
});

/** The end of a transaction is the end of everything still open in it. */
const ended: Reducer = ({ messages, runs, calls }) => ({
  ended: true,
  messages: messages.map((message) => (message.status === 'open' ? { ...message, status: 'interrupted' } : message)),
  runs: runs.map((run) => (run.status === 'RUNNING' ? { ...run, status: 'INTERRUPTED' } : run)),
  calls: calls.map((item) => (finalStatuses.has(item.status) ? item : { ...item, status: 'INTERRUPTED' })),
});

const reducers: ReadonlyMap<string, Reducer> = new Map([
  ['TRANSACTION_START', joined],
  ['TRANSACTION_JOIN', joined],
  ['TRANSACTION_LEAVE', left],
  ['TRANSACTION_END', ended],
  ['MESSAGE', wholeMessage],
  ['MESSAGE_START', messageStart],
  ['MESSAGE_PART', messagePart],
  ['MESSAGE_END', messageEnd],
  ['MESSAGE_UPDATE', messageUpdate],
  ['AUDIO', audio],
  ['RUN_STARTED', runStarted],
  ['RUN_FINISHED', runEnded],
  ['RUN_ERROR', runEnded],
  ['TOOL_CALL', call],
  ['TOOL_UPDATE', call],
  ['TOOL_DONE', call],
]);

const nothing: JsonObject = {};

/** The conversation after one more entry. Entries come in rising positions; the given conversation is not changed. */
export function reduceConversation(conversation: Conversation, entry: ConversationEntry): Conversation {
  const reducer = reducers.get(entry.type);
  const payload = isJsonObject(entry.payload) ? entry.payload : nothing;
  const change = reducer === undefined ? nothing : reducer(conversation, entry, payload);
  return { ...conversation, ...change, position: entry.position };
}

/** The conversation after the log answered that `first`…`last` is no longer kept. What was shown before stays. */
export function reduceGap(conversation: Conversation, gap: ConversationGap): Conversation {
  return { ...conversation, gaps: [...conversation.gaps, gap], position: gap.last };
}
