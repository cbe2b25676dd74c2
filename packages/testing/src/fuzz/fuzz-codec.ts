// Throws nearly valid texts at a codec and holds it to its promises: it never throws, takes exactly what is an envelope,
// says what it refuses in known words, writes again what it read, and is never slow. Needs no server.

import {
  checkFromClient,
  decode,
  decodeFromServer,
  defaultCodecLimits,
  type Envelope,
  encode,
  envelopeFields,
  eventType,
  Fault,
} from '@haip/protocol';
import { faultFlaw } from './answer-rules.ts';
import { type Dice, dice } from './dice.ts';
import { isEnvelopeText } from './judge.ts';
import { mutate } from './mutate.ts';
import { type FuzzOptions, type FuzzReport, FuzzTally } from './report.ts';
import { stopwatch } from './stopwatch.ts';
import { fromClient, fromServer, validEnvelope } from './valid-messages.ts';

/** The functions under test. */
export interface FuzzedCodec {
  readonly decode: (text: string) => Envelope | Fault;
  readonly decodeFromServer: (text: string) => Envelope | Fault;
  readonly encode: (envelope: Envelope) => string;
}

export interface FuzzCodecOptions extends FuzzOptions {
  /** Default: the codec of @haip/protocol. A function that is left out is that one's. */
  readonly codec?: Partial<FuzzedCodec> | undefined;
}

const ours: FuzzedCodec = { decode: (text) => decode(text), decodeFromServer, encode };

/**
 * Fuzzes a codec with texts made from valid envelopes of every type by one to four mutations each. The same seed gives
 * the same texts. Looks at no clock but for `timeMs` and to see what is slow.
 */
export function fuzzCodec(options: FuzzCodecOptions = {}): FuzzReport {
  const { cases = 20_000, seed = 1, maxCaseMs = 50 } = options;
  const tally = new FuzzTally(options);
  const chance = dice(seed);
  const timed = new TimedCodec({ ...ours, ...options.codec });
  for (; tally.cases < cases && !tally.isLate; tally.cases++) {
    const [text, isServers] = nextText(chance, tally.cases);
    const flaw = isServers ? clientFlaw : serverFlaw;
    let told: string | undefined;
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 3 && fastestMs > maxCaseMs; tries++) {
      timed.spentMs = 0;
      try {
        told = flaw(timed, text, tally);
      } catch (error) {
        told = `threw ${String(error)}`;
      }
      fastestMs = Math.min(fastestMs, timed.spentMs);
    }
    if (told !== undefined) tally.fail(isServers ? 'what a client reads' : 'what a server reads', told, text);
    tally.slowestMs = Math.max(tally.slowestMs, fastestMs);
    if (fastestMs > maxCaseMs) tally.fail('no input is slow', `${fastestMs} ms`, text);
  }
  return tally.report();
}

/** A codec that tells how long was spent in it. */
class TimedCodec implements FuzzedCodec {
  spentMs = 0;
  readonly #codec: FuzzedCodec;

  constructor(codec: FuzzedCodec) {
    this.#codec = codec;
  }

  decode(text: string): Envelope | Fault {
    return this.#time(() => this.#codec.decode(text));
  }

  decodeFromServer(text: string): Envelope | Fault {
    return this.#time(() => this.#codec.decodeFromServer(text));
  }

  encode(envelope: Envelope): string {
    return this.#time(() => this.#codec.encode(envelope));
  }

  #time<Result>(call: () => Result): Result {
    const elapsed = stopwatch();
    try {
      return call();
    } finally {
      this.spentMs += elapsed();
    }
  }
}

/** Every tenth text is left valid: what is right must be taken. */
function nextText(chance: Dice, number: number): [text: string, isServers: boolean] {
  const isServers = chance.once(3);
  const payloads = isServers ? fromServer : fromClient;
  const valid = { payloads, transaction: 't-1', session: 's-1' };
  const text = encode(validEnvelope(valid, chance.pick, `m-${number}`, String(number + 1)));
  return [chance.once(10) ? text : mutate(text, chance), isServers];
}

/** What is wrong with how the text was read; undefined when nothing is. */
function serverFlaw(codec: FuzzedCodec, text: string, tally: FuzzTally): string | undefined {
  const read = codec.decode(text);
  const isEnvelope = isEnvelopeText(text, defaultCodecLimits);
  if (read instanceof Fault || !isEnvelope) {
    if (!isEnvelope) tally.count('refused');
    if (isEnvelope) return 'refused what is an envelope';
    return read instanceof Fault ? faultFlaw(read) : 'took what is no envelope';
  }
  tally.count('taken');
  const event = eventType(read.type);
  const fault = event && checkFromClient(read, event);
  if (fault !== undefined) return faultFlaw(fault);
  return writtenFlaw(codec, read, text);
}

/** A client believes its server in most things: what its own logic stands on must be so. */
function clientFlaw(codec: FuzzedCodec, text: string, tally: FuzzTally): string | undefined {
  const read = codec.decodeFromServer(text);
  tally.count(read instanceof Fault ? "refused of a server's" : "taken of a server's");
  if (read instanceof Fault) {
    if (isEnvelopeText(text, defaultCodecLimits)) return 'refused what is an envelope';
    return faultFlaw(read);
  }
  const { id, type, session, channel, transaction, payload, seq, ts } = read;
  if ([id, type, session, channel].some((word) => typeof word !== 'string')) return 'a word that is no text';
  if ([seq, ts].some((number) => typeof number !== 'string' || !/^\d+$/.test(number))) return 'a number that is none';
  if (transaction !== null && typeof transaction !== 'string') return 'a transaction that is none';
  return payload === undefined || payload === null ? 'no payload' : undefined;
}

/** Whether what was read is what was written, and reads the same when it is written again. */
function writtenFlaw(codec: FuzzedCodec, read: Envelope, text: string): string | undefined {
  const parsed = JSON.parse(text) as Envelope;
  if (JSON.stringify(read.payload) !== JSON.stringify(parsed.payload)) return 'the payload is another one';
  const again = codec.decode(codec.encode(read));
  if (again instanceof Fault) return `refuses what it wrote itself: ${again.expected}`;
  const differing = envelopeFields.find((field) => JSON.stringify(again[field]) !== JSON.stringify(read[field]));
  return differing && `${differing} is another one when written and read again`;
}
