// What a tool says, judged as strictly as what people say: what stands in a log every reader can be sent. A tool that says
// something else hears of it, and no connection is ended for it. All is copied: whatever becomes of the tool's own object
// later, the log stays as it was written. Pure. Spec: §1, limits; §6.

import { utf8Length } from '@haip/platform';
import { checkFromServer, defaultCodecLimits, type Fault, type JsonValue, scanJson } from '@haip/protocol';
import { fitsEnvelope, OVERHEAD_BYTES } from './drafting.ts';
import type { ServerLimits } from './limits.ts';
import { ENVELOPE_BYTES, type Statement } from './pen.ts';

type Bounds = Pick<ServerLimits, 'maxTextBytes' | 'maxBinaryBytes'>;

/**
 * A tool's statement as it is stored.
 *
 * @throws TypeError for what is no message of its type, RangeError for more than a reader can be sent; both say what was
 * expected.
 */
export function checkedStatement(statement: Statement, bounds: Bounds): Statement {
  const { type, payload } = statement;
  // By far the most frequent, and nobody can change it.
  if (type === 'MESSAGE' && typeof payload === 'string' && fitsEnvelope(payload, bounds.maxTextBytes)) return statement;
  const text = JSON.stringify(payload) as string | undefined;
  if (text === undefined) throw unfit(type, { expected: 'payload: a JSON value', got: `a ${typeof payload}` });
  refuseUnlessSendable(type, text, bounds.maxTextBytes);
  const copy: JsonValue = JSON.parse(text);
  const fault = checkFromServer(type, copy);
  if (fault) throw unfit(type, fault);
  const size = ENVELOPE_BYTES + text.length;
  if (type !== 'AUDIO') return { ...statement, payload: copy, size };
  const bytes = copiedBytes(statement.bytes, bounds.maxBinaryBytes);
  return { ...statement, payload: copy, size: size + bytes.length, bytes };
}

function refuseUnlessSendable(type: string, text: string, maxTextBytes: number): void {
  const { maxDepth, maxKeys } = defaultCodecLimits;
  // The envelope is the first level.
  const scanned = scanJson(text, maxDepth - 1, maxKeys);
  if (!scanned.ok) throw unfit(type, scanned);
  const most = maxTextBytes - OVERHEAD_BYTES;
  if (utf8Length(text) > most) {
    const instead = type === 'MESSAGE' ? '; turn.stream() takes a longer text' : '';
    throw new RangeError(`${type}: expected at most ${most} bytes as JSON, got more${instead}`);
  }
}

function copiedBytes(bytes: Uint8Array | null | undefined, maxBinaryBytes: number): Uint8Array {
  // Not by its class: one from another realm is as good.
  if (bytes?.[Symbol.toStringTag] !== 'Uint8Array')
    throw unfit('AUDIO', { expected: 'bytes: a Uint8Array', got: 'another' });
  if (bytes.length <= maxBinaryBytes) return new Uint8Array(bytes);
  throw new RangeError(`AUDIO: expected at most ${maxBinaryBytes} bytes, got ${bytes.length}; send it in pieces`);
}

function unfit(type: string, { expected = 'another payload', got = 'this one' }: Partial<Fault>): TypeError {
  return new TypeError(`${type}: expected ${expected}, got ${got}`);
}
