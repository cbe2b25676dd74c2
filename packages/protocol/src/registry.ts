// Every event type: what each side may write in it, whether it is stored, which permission it needs. Data; the
// schemas are the source of truth for payloads. A type missing here is unknown. Spec: §6.

import * as v from 'valibot';
import type { Envelope } from './envelope.ts';
import { Fault } from './errors.ts';
import * as audio from './events/audio.ts';
import * as connection from './events/connection.ts';
import * as runs from './events/runs.ts';
import { wrongWay } from './events/shapes.ts';
import * as text from './events/text.ts';
import * as tools from './events/tools.ts';
import * as transaction from './events/transaction.ts';
import type { JsonValue } from './json.ts';

type Schema = v.GenericSchema;

export interface EventType {
  readonly family: 'connection' | 'transaction' | 'text' | 'audio' | 'runs' | 'tools';
  /** What a client may write; absent: only the server writes this type. */
  readonly client?: Schema;
  /** What a server writes; absent: only clients write this type. */
  readonly server?: Schema;
  /** Whether such a message, as a client writes it, gets a position in the log. */
  readonly stored: boolean;
}

const both = (schema: Schema): { client: Schema; server: Schema } => ({ client: schema, server: schema });

/** The registry: event type → what may be in it. */
export const eventTypes = {
  HAI: { family: 'connection', client: connection.haiFromClient, server: connection.haiFromServer, stored: false },
  PING: { family: 'connection', ...both(connection.ping), stored: false },
  PONG: { family: 'connection', ...both(connection.ping), stored: false },
  INFO: { family: 'connection', client: connection.infoFromClient, server: connection.infoFromServer, stored: false },
  ERROR: { family: 'connection', ...both(connection.error), stored: false },
  FLOW_UPDATE: { family: 'connection', ...both(connection.flowUpdate), stored: false },
  PAUSE_CHANNEL: { family: 'connection', ...both(connection.channelSwitch), stored: false },
  RESUME_CHANNEL: { family: 'connection', ...both(connection.channelSwitch), stored: false },

  TRANSACTION_START: {
    family: 'transaction',
    client: transaction.startFromClient,
    server: transaction.startFromServer,
    stored: true,
  },
  TRANSACTION_JOIN: {
    family: 'transaction',
    client: transaction.joinFromClient,
    server: transaction.joinFromServer,
    stored: true,
  },
  TRANSACTION_LEAVE: { family: 'transaction', ...both(transaction.leave), stored: true },
  TRANSACTION_END: { family: 'transaction', ...both(transaction.end), stored: true },
  TRANSACTION_LIST: {
    family: 'transaction',
    client: transaction.listRequest,
    server: transaction.listReply,
    stored: false,
  },
  REPLAY_REQUEST: { family: 'transaction', client: transaction.replayRequest, stored: false },

  MESSAGE: { family: 'text', ...both(text.message), stored: true },
  MESSAGE_START: { family: 'text', ...both(text.messageStart), stored: true },
  MESSAGE_PART: { family: 'text', ...both(text.messagePart), stored: true },
  MESSAGE_END: { family: 'text', client: text.messageEndFromClient, server: text.messageEnd, stored: true },
  MESSAGE_UPDATE: { family: 'text', ...both(text.messageUpdate), stored: true },

  AUDIO: { family: 'audio', ...both(audio.audio), stored: true },

  RUN_STARTED: { family: 'runs', server: runs.runStarted, stored: true },
  RUN_FINISHED: { family: 'runs', server: runs.runFinished, stored: true },
  RUN_CANCEL: { family: 'runs', ...both(runs.runCancel), stored: true },
  RUN_ERROR: { family: 'runs', server: runs.runError, stored: true },

  TOOL_LIST: { family: 'tools', client: tools.toolListRequest, server: tools.toolListReply, stored: false },
  TOOL_SCHEMA: { family: 'tools', client: tools.toolSchemaRequest, server: tools.toolSchemaReply, stored: false },
  TOOL_CALL: { family: 'tools', ...both(tools.toolCall), stored: true },
  TOOL_UPDATE: { family: 'tools', ...both(tools.toolUpdate), stored: true },
  TOOL_DONE: { family: 'tools', ...both(tools.toolDone), stored: true },
  TOOL_CANCEL: { family: 'tools', ...both(tools.toolCancel), stored: true },
} as const satisfies Record<string, EventType>;

export type EventName = keyof typeof eventTypes;
type Side = 'client' | 'server';
type SchemaOf<Type extends EventName, By extends Side> =
  (typeof eventTypes)[Type] extends Record<By, infer S extends Schema> ? S : never;

/** The payload of a type as one side writes it, inferred from its schema. */
export type PayloadOf<Type extends EventName, By extends Side = 'server'> = v.InferOutput<SchemaOf<Type, By>>;

const table: ReadonlyMap<string, EventType> = new Map(Object.entries(eventTypes));

/** Names that older software writes, and what they are read as. */
const oldNames: ReadonlyMap<string, EventName> = new Map([
  ['START_TRANSACTION', 'TRANSACTION_START'],
  ['AUDIO_CHUNK', 'AUDIO'],
]);

/** What the registry says of a type; undefined for one it does not know. */
export function eventType(type: string): EventType | undefined {
  return table.get(type);
}

/** The name that a type with an old name goes by today; undefined for a type that has none. */
export function currentName(type: string): EventName | undefined {
  return oldNames.get(type);
}

const ownWords: ReadonlySet<string> = new Set(['regex', 'check', 'custom']);

function article(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** What does not fit, as a path and what was expected there: never the value. */
function describe(issue: v.BaseIssue<unknown>): { expected: string; got: string } {
  const path = issue.path?.map((item) => String(item.key).slice(0, 64)).join('.') ?? '';
  const field = path === '' ? 'payload' : `payload.${path}`;
  const expected = ownWords.has(issue.type) ? issue.message : (issue.expected ?? 'another value');
  return { expected: `${field}: ${expected}`, got: article(issue.input) };
}

/**
 * Judges the payload of a client's message of a known type. Undefined when it fits; else PROTOCOL_VIOLATION, or
 * UNAUTHORIZED for what only a server writes.
 */
export function checkFromClient(envelope: Envelope, event: EventType): Fault | undefined {
  const named = { relatedId: envelope.id, transaction: envelope.transaction };
  if (event.client === undefined) {
    return new Fault('UNAUTHORIZED', {
      ...named,
      expected: 'a type that clients write',
      got: 'one that the server writes',
    });
  }
  // The codec saw to it that the payload is JSON and not null: all that this schema asks, of the most frequent type.
  if (event.client === text.message) return undefined;
  const issue = firstIssue(event.client, envelope.payload);
  if (issue === undefined) return undefined;
  if (issue.message === wrongWay) {
    return new Fault('UNAUTHORIZED', { ...named, expected: 'a request', got: 'what the server answers' });
  }
  return new Fault('PROTOCOL_VIOLATION', { ...named, ...describe(issue) });
}

/** Judges the payload of what a server is to write. Undefined when it fits the type; else what was expected. */
export function checkFromServer(type: string, payload: JsonValue): Fault | undefined {
  const schema = eventType(type)?.server;
  if (schema === undefined)
    return new Fault('UNSUPPORTED_TYPE', { expected: 'a type that servers write', got: 'another' });
  const issue = firstIssue(schema, payload);
  return issue && new Fault('PROTOCOL_VIOLATION', describe(issue));
}

function firstIssue(schema: Schema, payload: JsonValue): v.BaseIssue<unknown> | undefined {
  return v.safeParse(schema, payload, { abortEarly: true }).issues?.[0];
}
