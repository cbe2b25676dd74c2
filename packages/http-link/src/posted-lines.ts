// Reads the body of a POST: lines of envelopes, and perhaps the peer's goodbye. Pure: what is wrong becomes a Fault for
// the core to answer. Spec: §1, §7.

import { type CodecLimits, type ConnectionEnd, decodeWithBase64, Fault, type Incoming } from '@haip/protocol';
import { readControl, readEnd } from './close-line.ts';

const lineFeed = 10;
// A byte order mark is no JSON, and stays so.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The lines of a body, blank ones left out. */
export function splitLines(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(lineFeed, start);
    const end = found < 0 ? body.length : found;
    if (!isBlank(body, start, end)) lines.push(body.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function isBlank(body: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((body[at] as number) > 32) return false;
  return true;
}

/** What a line says: something for the consumer, or the end. */
export function readLine(line: Uint8Array, limits: CodecLimits): Incoming | { readonly end: ConnectionEnd } {
  let text: string;
  try {
    text = utf8.decode(line);
    const [word, json] = readControl(text) ?? [];
    if (word === 'close' && json) return { end: readEnd(json) };
  } catch {
    return new Fault('PROTOCOL_VIOLATION', { expected: 'JSON in UTF-8' });
  }
  const envelope = decodeWithBase64(text, limits, line.length);
  if (envelope instanceof Fault) return envelope;
  const { id: relatedId, transaction, seq, bin_len } = envelope;
  if (bin_len === undefined) return { envelope, size: line.length };
  const expected = 'bytes as base64 in payload.data';
  return new Fault('PROTOCOL_VIOLATION', { expected, got: 'bin_len', relatedId, transaction, seq });
}
