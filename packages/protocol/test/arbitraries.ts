// Generators of envelopes: sound ones, and ones with a few fields spoilt.
import fc from 'fast-check';
import { type Envelope, envelopeFields, type JsonValue } from '../src/index.ts';

const characters = (alphabet: string) => fc.constantFrom(...alphabet);
const idAlphabet = 'ABCxyz0189_.:-';

const anyId = fc.string({ unit: characters(idAlphabet), minLength: 1, maxLength: 128 }).filter((id) => id !== 'null');
const anyDecimal = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);

/** Any JSON value but null, within the limits. `-0` has no text of its own and is left out. */
export const anyPayload = fc
  .jsonValue({ maxDepth: 4, noUnicodeString: false } as fc.JsonSharedConstraints)
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
  .filter((value) => value !== null);

const mime = fc.constantFrom('audio/ogg', 'audio/webm;codecs=opus', 'text/plain; charset=utf-8');
const label = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => text.length <= 128 && text.isWellFormed());

export const anyEnvelope: fc.Arbitrary<Envelope> = fc.record(
  {
    id: anyId,
    transaction: fc.option(anyId),
    session: fc.oneof(anyId, fc.constant('')),
    seq: anyDecimal,
    ts: anyDecimal,
    channel: fc.oneof(
      fc.constantFrom('USER', 'AGENT', 'SYSTEM'),
      fc.string({ unit: characters('aZ0_-'), minLength: 1 }),
    ),
    type: fc.oneof(fc.constantFrom('MESSAGE', 'HAI', 'AUDIO'), anyId),
    payload: anyPayload,
    from_seq: anyDecimal,
    ack: anyDecimal,
    bin_len: fc.nat(1024 * 1024),
    bin_mime: mime,
    pv: fc.nat(255),
    crit: fc.boolean(),
    run_id: anyId,
    thread_id: label,
    related_id: anyId,
  },
  { requiredKeys: ['id', 'transaction', 'session', 'seq', 'ts', 'channel', 'type', 'payload'] },
);

/** Values that break one rule or another, and some that break none where they happen to land. */
const anyReplacement = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      true,
      false,
      0,
      5,
      -1,
      1.5,
      255,
      256,
      10 ** 15,
      [],
      {},
      '',
      '0',
      '007',
      '-1',
      '1e3',
      ' 7',
      '*',
    ],
    ...['null', '18446744073709551615', '18446744073709551616', 'a'.repeat(128), 'a'.repeat(129), 'a b', 'a\n', 'é'],
    ...['\ud800', 'audio/ogg', 'audio/ogg\r\nx', 'audio/ogg;a="b"', 'MESSAGE', `${'a'.repeat(64)}/${'b'.repeat(65)}`],
  ),
  fc.jsonValue({ maxDepth: 2 }),
  anyId,
  anyDecimal,
);

const anyField = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<string>(...envelopeFields) },
  { weight: 1, arbitrary: fc.constantFrom('colour', 'auth', 'toString', 'constructor', 'seq_', '__proto__') },
);

/** An envelope with one to four fields replaced, removed or added; as parsed from text, so all keys are own. */
export const anySpoiltEnvelope: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(anyEnvelope, fc.array(fc.tuple(anyField, anyReplacement), { minLength: 1, maxLength: 4 }))
  .map(([envelope, changes]) => {
    const fields = new Map<string, unknown>(Object.entries(envelope));
    for (const [field, value] of changes) fields.set(field, value);
    const written = [...fields].filter(([, value]) => value !== undefined);
    const text = `{${written.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
    return JSON.parse(text) as Record<string, unknown>;
  });
