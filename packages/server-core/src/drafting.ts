// A client's message as a draft for the log: what the server stamps, what it leaves out. Credentials, unknown fields
// and the client's own times never get here. Pure. Spec: §1, §3.

import { utf8Length } from '@haip/platform';
import {
  bodyDigest,
  channels,
  type Draft,
  type Envelope,
  Fault,
  fromBase64,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  subjectOf,
} from '@haip/protocol';
import { choosesChannel } from './access.ts';
import type { OpenStream } from './log-state.ts';

/** A client's envelope with its bytes, wherever they travelled. */
export interface Submission {
  readonly envelope: Envelope;
  readonly bytes: Uint8Array | undefined;
  readonly mime: string | undefined;
  /** The payload without what travelled as bytes. */
  readonly payload: JsonValue;
  readonly size: number;
  /** Set when its connection sends too much: refused unless it is stored. */
  readonly limited?: Fault | undefined;
}

/** A number may be written with five times the digits it came in: 1e20 takes 21. */
const MOST_GROWTH = 6;

/** Whether a payload, as it will be written to readers, is larger than a text envelope may be. */
export function isTooLarge(payload: JsonValue, receivedBytes: number, maxTextBytes: number): boolean {
  if (receivedBytes * MOST_GROWTH <= maxTextBytes) return false;
  return utf8Length(JSON.stringify(payload)) > maxTextBytes;
}

/** Takes bytes out of `payload.data`, so that the same audio is the same message on every transport. */
export function readSubmission(envelope: Envelope, bytes: Uint8Array | undefined, size: number): Submission | Fault {
  const { id, transaction, payload } = envelope;
  if (envelope.type !== 'AUDIO' || !isJsonObject(payload)) {
    if (bytes === undefined) return { envelope, bytes, mime: undefined, payload, size };
    return new Fault('PROTOCOL_VIOLATION', { relatedId: id, transaction, expected: 'bytes behind AUDIO only' });
  }
  const { data, ...rest } = payload;
  const given = bytes ?? (typeof data === 'string' ? fromBase64(data) : undefined);
  if (given === undefined) {
    const expected = 'bytes behind the envelope, or base64 in payload.data';
    return new Fault('PROTOCOL_VIOLATION', { relatedId: id, transaction, expected });
  }
  const mime = envelope.bin_mime ?? (typeof rest['mime'] === 'string' ? rest['mime'] : undefined);
  return { envelope, bytes: given, mime, payload: rest, size };
}

export interface Author {
  readonly user: string;
  readonly session: string;
}

/** The draft of a submission. `payload` is what is stored where that is not what the client wrote. */
export function draftOf(submission: Submission, author: Author, ts: number, payload = submission.payload): Draft {
  const { envelope, bytes, mime, size } = submission;
  return {
    id: envelope.id,
    user: author.user,
    session: author.session,
    ts,
    channel: choosesChannel(envelope.type) ? envelope.channel : stampedChannel(envelope.type),
    type: envelope.type,
    payload,
    bytes,
    mime,
    size,
    run_id: envelope.run_id,
    thread_id: envelope.thread_id,
    related_id: envelope.related_id,
    digest: digestOf(submission),
    subject: subjectOf(envelope.type, payload, author.user, envelope.run_id),
    outcome: undefined,
  };
}

function stampedChannel(type: string): string {
  return type.startsWith('TRANSACTION_') ? channels.system : channels.user;
}

/** The digest a retry must have: of what the client wrote, before anything is stamped into it. */
export function digestOf({ envelope, payload, bytes }: Submission): string {
  return bodyDigest(envelope.type, payload, bytes);
}

/** The fields of a MESSAGE_END that are its author's to write. */
export function writtenEnd({ message_id, tokens, status }: JsonObject): JsonObject {
  return {
    ...(message_id === undefined ? {} : { message_id }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(status === undefined ? {} : { status }),
  };
}

/** The stored payload of a MESSAGE_END: where its stream began, and the whole text unless that is too long for an envelope. */
export function endPayload(written: JsonObject, stream: OpenStream, maxTextBytes: number): JsonObject {
  const { author, start, text } = stream;
  return {
    ...written,
    start_seq: String(start),
    ...(author === undefined ? {} : { author }),
    ...(fitsEnvelope(text, maxTextBytes) ? { text } : {}),
  };
}

/** An envelope's other fields take less than this. */
export const OVERHEAD_BYTES = 4096;

/** Whether a text, written as JSON, leaves room for the rest of its envelope. */
export function fitsEnvelope(text: string, maxTextBytes: number): boolean {
  const room = maxTextBytes - OVERHEAD_BYTES;
  // A UTF-16 unit takes at most six bytes in JSON, so most texts need no count.
  return text.length * 6 <= room || utf8Length(JSON.stringify(text)) <= room;
}
