// The entries of a log as a client reads and writes them. Pure. Spec: §1, §6.

import { type ConversationEntry, channels, fromBase64, type JsonObject, type Received } from '@haip/protocol';

/** Whether a client's message of that type needs an open window. It is what a person says, and what speaks of calls. */
export function spendsWindow(type: string): boolean {
  return /^(MESSAGE|AUDIO|TOOL_[CUD](?!ANCEL))/.test(type);
}

/** The channel a client writes a type on: what a person says on USER, the rest, which the server stamps, on SYSTEM. */
export function channelOf(type: string): string {
  return /^(MESSAGE|AUDIO|TOOL_|RUN_)/.test(type) ? channels.user : channels.system;
}

/** The entry in an envelope. Audio without binary frames carries its bytes as base64. */
export function entryOf({ envelope, bytes }: Omit<Received, 'size'>, position: number): ConversationEntry {
  const { id, session, channel, type, run_id, thread_id, related_id } = envelope;
  let { payload } = envelope;
  let audio = bytes;
  if (type === 'AUDIO' && !audio) {
    const { data, ...rest } = payload as JsonObject & { readonly data?: string };
    audio = data ? fromBase64(data) : undefined;
    payload = rest;
  }
  const mime = envelope.bin_mime ?? (audio && (payload as { mime?: string }).mime);
  const ts = Number(envelope.ts);
  return { position, id, session, ts, channel, type, payload, bytes: audio, mime, run_id, thread_id, related_id };
}
