// Turns a log into what people see: messages with their text so far, runs, tool calls, who takes part. Pure and
// tolerant: an entry it does not understand changes nothing but the position. A log reduced before and after
// compaction gives the same conversation. Spec: §4, §6.

import type { Entry } from './contracts/history-store.ts';
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
  /** `RUNNING`; else what ended it: `OK`, `CANCELLED`, `INTERRUPTED`, `ERROR`. */
  readonly status: string;
  /** What it came to, or why it did not. */
  readonly summary?: string | undefined;
}

export interface ConversationCall {
  readonly id: string;
  readonly tool: string;
  readonly params?: JsonValue | undefined;
  /** `QUEUED`, `RUNNING`, `WAITING` for a person's word, `APPROVED` …; else what ended it: `OK`, `CANCELLED` … */
  readonly status: string;
  readonly runId?: string | undefined;
  readonly progress?: number | undefined;
  /** What it has of its result so far. */
  readonly partial?: JsonValue | undefined;
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
function put<T extends { readonly id: string }>(list: readonly T[], fresh: T, change: (old: T) => Partial<T>): T[] {
  const at = list.findLastIndex(({ id }) => id === fresh.id);
  const old = list[at] ?? fresh;
  const item = { ...old, ...change(old) };
  return at < 0 ? [...list, item] : list.with(at, item);
}

/** What an entry changes of the message it is about. */
function changeMessage(
  old: ConversationMessage,
  { type, position, session, channel, ts, run_id, bytes, mime, payload: whole }: ConversationEntry,
  payload: JsonObject,
): Partial<ConversationMessage> {
  const said = text(payload['text']);
  const author = text(payload['author']) ?? old.author;
  switch (type) {
    case 'MESSAGE':
      return { text: text(whole) ?? said ?? '', payload: whole, status: 'complete' };
    case 'MESSAGE_START':
      return { text: said ?? '', status: 'open', author };
    case 'MESSAGE_PART':
      return { text: old.text + (said ?? ''), ts };
    case 'MESSAGE_END': {
      // It may come alone, long, for a message that began before others that are shown: its START says where it belongs.
      const begun = Number(text(payload['start_seq'])) || old.position;
      const status = text(payload['status']) ?? 'complete';
      const runId = run_id ?? old.runId;
      return { position: begun, session, channel, ts, text: said ?? old.text, status, runId, author };
    }
    default: {
      const audio = { bytes, mime: mime ?? text(payload['mime']) ?? 'application/octet-stream' };
      return { audio, status: old.position === position ? 'complete' : old.status };
    }
  }
}

const message: Reducer = ({ messages }, entry, payload) => {
  const { type, position, session, channel, ts, run_id: runId } = entry;
  const id = (type !== 'MESSAGE' && text(payload['message_id'])) || entry.id;
  const fresh: ConversationMessage = { id, position, session, channel, ts, text: '', status: 'open', runId };
  const changed = put(messages, fresh, (old) => changeMessage(old, entry, payload));
  return { messages: type === 'MESSAGE_END' ? changed.sort((a, b) => a.position - b.position) : changed };
};

const messageUpdate: Reducer = ({ messages }, _entry, payload) => {
  const change =
    payload['delete'] === true
      ? { text: '', audio: undefined, deleted: true }
      : { text: text(payload['text']) ?? '', edited: true };
  return {
    messages: messages.map((old) =>
      old.id === payload['message_id'] ? { ...old, payload: undefined, ...change } : old,
    ),
  };
};

const run: Reducer = ({ runs }, { id, run_id = id, type }, payload) => {
  const ended = type === 'RUN_ERROR' ? 'ERROR' : (text(payload['status']) ?? 'OK');
  const status = type === 'RUN_STARTED' ? 'RUNNING' : ended;
  const summary = text(payload[type === 'RUN_ERROR' ? 'message' : 'summary']);
  return { runs: put<ConversationRun>(runs, { id: run_id, status }, () => ({ status, summary })) };
};

const finalStatuses: readonly string[] = ['OK', 'CANCELLED', 'ERROR', 'DENIED', 'INTERRUPTED'];

const call: Reducer = ({ calls }, entry, payload) => {
  const id = text(payload['call_id']) ?? entry.id;
  // Of a log that another implementation wrote: what comes after the end changes nothing.
  const over = calls.some((item) => item.id === id && finalStatuses.includes(item.status));
  if (over && entry.type === 'TOOL_UPDATE') return {};
  const status = text(payload['status']) ?? (entry.type === 'TOOL_CALL' ? 'QUEUED' : 'OK');
  const fresh = { id, tool: text(payload['tool']) ?? '', status, runId: entry.run_id };
  return {
    calls: put<ConversationCall>(calls, fresh, (old) => {
      const { params = old.params, partial = old.partial, ask = old.ask, result = old.result, progress } = payload;
      return { status, params, partial, ask, result, progress: typeof progress === 'number' ? progress : old.progress };
    }),
  };
};

const joined: Reducer = ({ participants }, { session }) =>
  participants.includes(session) ? {} : { participants: [...participants, session] };

const left: Reducer = ({ participants }, { session }) => ({
  participants: participants.filter((one) => one !== session),
});

/** The end of a transaction is the end of everything still open in it. */
const ended: Reducer = (conversation) => ({ ...interruptOpen(conversation), ended: true });

/** What asks for an end is not yet one. */
const unchanged: Reducer = () => ({});

const reducers: ReadonlyMap<string, Reducer> = new Map([
  ['TRANSACTION_START', joined],
  ['TRANSACTION_JOIN', joined],
  ['TRANSACTION_LEAVE', left],
  ['TRANSACTION_END', ended],
  ['MESSAGE', message],
  ['MESSAGE_START', message],
  ['MESSAGE_PART', message],
  ['MESSAGE_END', message],
  ['MESSAGE_UPDATE', messageUpdate],
  ['AUDIO', message],
  ['RUN_STARTED', run],
  ['RUN_FINISHED', run],
  ['RUN_CANCEL', unchanged],
  ['RUN_ERROR', run],
  ['TOOL_CALL', call],
  ['TOOL_UPDATE', call],
  ['TOOL_DONE', call],
  ['TOOL_CANCEL', unchanged],
]);

/** Every type that may be an entry. */
export const entryTypes: readonly string[] = [...reducers.keys()];

/** The conversation after one more entry. Entries come in rising positions; the given conversation is not changed. */
export function reduceConversation(conversation: Conversation, entry: ConversationEntry): Conversation {
  const payload = isJsonObject(entry.payload) ? entry.payload : {};
  const change = reducers.get(entry.type)?.(conversation, entry, payload);
  return { ...conversation, ...change, position: entry.position };
}

/** The conversation after its reader stopped reading: what is still open will not be completed here. */
export function interruptOpen(conversation: Conversation): Conversation {
  const { messages, runs, calls } = conversation;
  return {
    ...conversation,
    messages: messages.map((item) => (item.status === 'open' ? { ...item, status: 'interrupted' } : item)),
    runs: runs.map((item) => (item.status === 'RUNNING' ? { ...item, status: 'INTERRUPTED' } : item)),
    calls: calls.map((item) => (finalStatuses.includes(item.status) ? item : { ...item, status: 'INTERRUPTED' })),
  };
}

/** The conversation after the log answered that `first`…`last` is no longer kept. What was shown before stays. */
export function reduceGap(conversation: Conversation, gap: ConversationGap): Conversation {
  return { ...conversation, gaps: [...conversation.gaps, gap], position: gap.last };
}
