// Text to envelope and back: the one place where bytes are parsed and the one place where they are made.
// Checks the envelope's grammar by hand (a schema costs four times as much; a property test holds the two equal);
// payloads are the registry's business. Never throws, never copies a payload. Spec: §1.

import { bytesInBase64 } from './base64.ts';
import { type CodecLimits, defaultCodecLimits, longestText } from './codec-limits.ts';
import { type Envelope, envelopeFields } from './envelope.ts';
import { Fault } from './errors.ts';
import { isChannel, isDecimal, isId, isMime } from './grammar.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { outermostStrings, scanJson } from './json-scan.ts';

const known: ReadonlySet<string> = new Set<string>(envelopeFields);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return value === undefined ? 'nothing' : `a ${typeof value} outside the grammar`;
}

function violation(expected: string, got: string, fields?: JsonObject): Fault {
  const id = fields?.['id'];
  const transaction = fields?.['transaction'];
  const seq = fields?.['seq'];
  return new Fault('PROTOCOL_VIOLATION', {
    expected,
    got,
    relatedId: isId(id) ? id : undefined,
    transaction: isId(transaction) && transaction !== 'null' ? transaction : null,
    seq: isDecimal(seq) ? seq : undefined,
  });
}

/** The first field outside the grammar, as what was expected of it; undefined when all are within. */
function brokenField(e: JsonObject, limits: CodecLimits): [field: string, expected: string] | undefined {
  const { transaction, session } = e;
  if (!isId(e['id'])) return ['id', 'an id'];
  if (transaction !== null && transaction !== undefined && !isId(transaction)) return ['transaction', 'an id or null'];
  if (session !== '' && !isId(session)) return ['session', 'an id'];
  if (!isDecimal(e['seq'])) return ['seq', 'a decimal string up to 2^64-1'];
  if (!isDecimal(e['ts'])) return ['ts', 'a decimal string of milliseconds'];
  if (!isChannel(e['channel'])) return ['channel', 'a channel name'];
  if (!isId(e['type'])) return ['type', 'an event type'];
  if (e['payload'] === undefined || e['payload'] === null) return ['payload', 'a JSON value other than null'];
  return brokenOption(e, limits);
}

function brokenOption(e: JsonObject, limits: CodecLimits): [field: string, expected: string] | undefined {
  const { from_seq, ack, bin_len, bin_mime, pv, crit, run_id, thread_id, related_id } = e;
  if (from_seq !== undefined && !isDecimal(from_seq)) return ['from_seq', 'a decimal string'];
  if (ack !== undefined && !isDecimal(ack)) return ['ack', 'a decimal string'];
  if (bin_len !== undefined && !isCount(bin_len, limits.maxBinaryBytes)) {
    return ['bin_len', `a whole number from 0 to ${limits.maxBinaryBytes}`];
  }
  if (bin_mime !== undefined && !isMime(bin_mime)) return ['bin_mime', 'a media type'];
  if (pv !== undefined && !isCount(pv, 255)) return ['pv', 'a protocol major'];
  if (crit !== undefined && typeof crit !== 'boolean') return ['crit', 'true or false'];
  if (run_id !== undefined && !isId(run_id)) return ['run_id', 'an id'];
  if (related_id !== undefined && !isId(related_id)) return ['related_id', 'an id'];
  if (thread_id !== undefined && !isLabel(thread_id)) return ['thread_id', 'a label of at most 128 characters'];
  return undefined;
}

function isCount(value: unknown, highest: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= highest;
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 128 && value.isWellFormed();
}

/** Whether every number in it is finite. As deep as the nesting may be, no deeper. */
function isFiniteThroughout(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.values(value).every(isFiniteThroughout);
}

/**
 * Checks a parsed value as an envelope and gives it its one form: a missing or `"null"` transaction becomes null.
 * The object itself is returned, extra fields and all; what is stored or relayed is built from the named fields only.
 */
export function readEnvelope(value: unknown, limits: CodecLimits = defaultCodecLimits): Envelope | Fault {
  if (!isJsonObject(value)) return violation('a JSON object', kindOf(value));
  const fields = value as Record<string, JsonValue | undefined>;
  const broken = brokenField(fields, limits);
  if (broken) return violation(`${broken[0]}: ${broken[1]}`, kindOf(fields[broken[0]]), fields);
  if (fields['transaction'] === undefined || fields['transaction'] === 'null') fields['transaction'] = null;
  if (fields['crit'] === true) {
    const stranger = Object.keys(fields).find((key) => !known.has(key));
    if (stranger !== undefined) {
      return new Fault('UNSUPPORTED_TYPE', {
        expected: 'only known fields in a critical message',
        got: 'an unknown field',
        relatedId: fields['id'] as string,
        transaction: fields['transaction'] as string | null,
        seq: fields['seq'] as string,
      });
    }
  }
  return fields as unknown as Envelope;
}

/**
 * Reads one envelope from text. Gives a {@link Fault} for everything that is not one; never throws.
 * `size` is the text's length in UTF-8 where the caller knows it; without it the limit is held against UTF-16 units.
 * A lone surrogate is allowed inside payload text (JSON writes it as an escape) and nowhere else.
 */
export function decode(
  text: string,
  limits: CodecLimits = defaultCodecLimits,
  size: number = text.length,
): Envelope | Fault {
  return size > limits.maxTextBytes ? tooLong(limits) : withSpent(parse(text, limits), text, size);
}

/**
 * As {@link decode}, on a link without binary frames: the base64 in the `payload.data` of AUDIO counts as the bytes it
 * stands for, and not as text. So an audio message has the same limits whatever it travels over.
 */
export function decodeWithBase64(
  text: string,
  limits: CodecLimits = defaultCodecLimits,
  size: number = text.length,
): Envelope | Fault {
  if (size > longestText(limits)) return tooLong(limits);
  // What is beyond the limit for text must be one string, or it would be dear to parse.
  const beyond = size - limits.maxTextBytes;
  const envelope = parse(text, limits, beyond);
  if (envelope instanceof Fault) return withSpent(envelope, text, size);
  const { id: relatedId, transaction, seq, type, channel } = envelope;
  const data = base64Of(envelope);
  if (data.length < beyond) return tooLong(limits);
  if (bytesInBase64(data) <= limits.maxBinaryBytes) return envelope;
  const expected = `at most ${limits.maxBinaryBytes} bytes in payload.data`;
  const spent = { type, channel, size };
  return new Fault('MESSAGE_TOO_LARGE', { expected, got: 'more', relatedId, transaction, seq, spent });
}

function base64Of({ type, payload }: Envelope): string {
  const isAudio = type === 'AUDIO' || type === 'AUDIO_CHUNK';
  return isAudio && isJsonObject(payload) && typeof payload['data'] === 'string' ? payload['data'] : '';
}

function tooLong({ maxTextBytes }: CodecLimits): Fault {
  return new Fault('MESSAGE_TOO_LARGE', { expected: `at most ${maxTextBytes} bytes`, got: 'more', close: 1009 });
}

/** A fault tells what the message took of its author's window, where that can be read. */
function withSpent<Read>(read: Read, text: string, size: number): Read | Fault {
  if (!(read instanceof Fault) || read.seq === undefined) return read;
  const { type, channel } = outermostStrings(text, ['type', 'channel']);
  return type && isChannel(channel) ? new Fault(read.code, { ...read, spent: { type, channel, size } }) : read;
}

/** `inOneString`: how much of it must be one string at least. */
function parse(text: string, limits: CodecLimits, inOneString = 0): Envelope | Fault {
  const scan = scanJson(text, limits.maxDepth, limits.maxKeys);
  // Its sender counted it, and waits for an answer: without its number all that follows would be out of order.
  if (!scan.ok) return violation(scan.expected, scan.got, outermostStrings(text, ['id', 'transaction', 'seq']));
  if (scan.longestString < inOneString) return tooLong(limits);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the input, which must not go back on the wire.
    return violation('JSON', 'text that is not JSON');
  }
  if (isJsonObject(value) && Object.keys(value).length !== scan.topLevelKeys) {
    return violation('each envelope key once', 'a key twice', value);
  }
  // JSON can not write an infinite number: its readers would be given null in its place.
  if (scan.mayOverflow && !isFiniteThroughout(value)) {
    return violation('numbers that a double can hold', 'a greater one', isJsonObject(value) ? value : undefined);
  }
  return readEnvelope(value, limits);
}

/** The envelope as JSON text, fields in one order, absent ones left out. Ids need no escaping: their grammar sees to it. */
export function encode(e: Envelope): string {
  const transaction = e.transaction === null ? 'null' : `"${e.transaction}"`;
  let text = `{"id":"${e.id}","transaction":${transaction},"session":"${e.session}","seq":"${e.seq}","ts":"${e.ts}","channel":"${e.channel}","type":"${e.type}","payload":${JSON.stringify(e.payload)}`;
  if (e.from_seq !== undefined) text += `,"from_seq":"${e.from_seq}"`;
  if (e.ack !== undefined) text += `,"ack":"${e.ack}"`;
  if (e.bin_len !== undefined) text += `,"bin_len":${e.bin_len}`;
  if (e.bin_mime !== undefined) text += `,"bin_mime":"${e.bin_mime}"`;
  if (e.pv !== undefined) text += `,"pv":${e.pv}`;
  if (e.crit !== undefined) text += `,"crit":${e.crit}`;
  if (e.run_id !== undefined) text += `,"run_id":"${e.run_id}"`;
  if (e.thread_id !== undefined) text += `,"thread_id":${JSON.stringify(e.thread_id)}`;
  if (e.related_id !== undefined) text += `,"related_id":"${e.related_id}"`;
  return `${text}}`;
}
