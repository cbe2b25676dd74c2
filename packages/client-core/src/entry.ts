// The entry in an envelope, and in a message of this client's own that a receipt gave its place. Pure.

import { type ConversationEntry, fromBase64, isJsonObject, type Received } from '@haip/protocol';
import type { Outgoing } from './outgoing.ts';
import { textField } from './text-field.ts';

/** The entry in an envelope. Audio without binary frames carries its bytes as base64. */
export function entryOf({ envelope, bytes }: Received, position: number): ConversationEntry {
  const { id, session, channel, type, run_id, thread_id, related_id } = envelope;
  let { payload } = envelope;
  let audio = bytes;
  if (type === 'AUDIO' && audio === undefined && isJsonObject(payload)) {
    const { data, ...rest } = payload;
    audio = typeof data === 'string' ? fromBase64(data) : undefined;
    payload = rest;
  }
  const mime = envelope.bin_mime ?? (audio && textField(payload, 'mime'));
  const ts = Number(envelope.ts);
  return { position, id, session, ts, channel, type, payload, bytes: audio, mime, run_id, thread_id, related_id };
}

/** The entry that an own message has become. `session` is what the server stamped it with. */
export function ownEntry(
  { draft, channel }: Outgoing,
  position: number,
  ts: number,
  session: string,
): ConversationEntry {
  const { id, type, payload, bytes, mime } = draft;
  return { position, id, session, ts, channel, type, payload, bytes, mime };
}
