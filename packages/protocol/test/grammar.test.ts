// The words of an envelope, read by the codec: numbers, ids, text.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkFromClient,
  decode,
  defaultCodecLimits,
  type Envelope,
  encode,
  eventTypes,
  isDecimal,
  isId,
  readDecimal,
} from '../src/index.ts';
import { codeOf, envelopeWith, withPayload } from './vectors.ts';

const text = JSON.stringify(envelopeWith());

describe('words', () => {
  const notDecimal = [
    '',
    'NaN',
    '-1',
    '+1',
    '1e3',
    ' 7',
    '7 ',
    '7\n',
    '0x10',
    '007',
    '00',
    '1.0',
    '1_0',
    '١',
    '9'.repeat(21),
  ];

  test.each(
    [...notDecimal, '18446744073709551616', '99999999999999999999', '7'.repeat(1_000_000)].map((seq) => [
      seq.slice(0, 24),
      seq,
    ]),
  )('A9: seq %j is a PROTOCOL_VIOLATION [ENV-4]', (_shown, seq) => {
    const limits = { ...defaultCodecLimits, maxTextBytes: 2_000_000 };
    expect(decode(JSON.stringify(envelopeWith({ seq })), limits)).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
  });

  test.each(['0', '1', '9', '10', '18446744073709551615', '9999999999999999999'])('A9: seq %j is a number', (seq) => {
    expect(decode(JSON.stringify(envelopeWith({ seq })))).toMatchObject({ seq });
  });

  test('A9: the grammar agrees with BigInt up to 2^64-1', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 66n }), (value) => isDecimal(String(value)) === value < 2n ** 64n),
    );
  });

  test('A10: a number past 2^53-1 reads as Infinity: too high for every comparison, and never wrapped [ACK-4]', () => {
    expect(readDecimal('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    for (const text of ['9007199254740992', '9007199254740993', '18446744073709551615']) {
      expect(readDecimal(text)).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test('A11: a byte order mark and a NUL around the text are no JSON', () => {
    expect(codeOf(`\ufeff${text}`)).toBe('PROTOCOL_VIOLATION');
    expect(codeOf(`${text}\0`)).toBe('PROTOCOL_VIOLATION');
    expect(codeOf(withPayload('"a\0b"'))).toBe('PROTOCOL_VIOLATION');
  });

  test('A11: a lone surrogate is refused in each id and label and kept in payload text [ENV-13]', () => {
    for (const field of [
      'id',
      'transaction',
      'session',
      'type',
      'channel',
      'run_id',
      'related_id',
      'thread_id',
      'bin_mime',
    ]) {
      expect(codeOf(JSON.stringify(envelopeWith({ [field]: 'a\ud800' })))).toBe('PROTOCOL_VIOLATION');
    }
    const kept = decode(withPayload('"\\ud800 \\udc00"')) as Envelope;
    expect(encode(kept)).toContain('"\\ud800 \\udc00"');
  });

  test('A11: every string goes through payload and back unchanged, as one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (payload) => {
        const written = encode(envelopeWith({ payload }));
        expect(written).not.toMatch(/[\r\n]/);
        expect(decode(written)).toMatchObject({ payload });
      }),
    );
  });

  test.each([
    'text/html\r\nx-evil: 1',
    'audio/webm\n',
    'audio/webm; codecs="opus"',
    'audio/webm;codecs=opus;a=b;c=d;e=f;g=h',
    'audio',
    '/webm',
    'audio/',
    'text/<html>',
    `audio/${'x'.repeat(65)}`,
  ])('A21: %j is no media type, beside the envelope or in its payload', (mime) => {
    expect(codeOf(JSON.stringify(envelopeWith({ bin_len: 1, bin_mime: mime })))).toBe('PROTOCOL_VIOLATION');
    const audio = decode(JSON.stringify(envelopeWith({ type: 'AUDIO', payload: { mime } }))) as Envelope;
    expect(checkFromClient(audio, eventTypes.AUDIO)).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
  });

  test.each([
    '',
    'a'.repeat(129),
    'x'.repeat(10_000),
    'a b',
    'a\nb',
    'a\n',
    '*',
    'café',
    'аbc',
    'a/b',
    "'; drop",
    '{a}',
    'a>',
  ])('A12: %j is not an id [ENV-3]', (id) => {
    expect(isId(id)).toBe(false);
    for (const field of ['id', 'transaction', 'run_id', 'related_id', 'type']) {
      expect(codeOf(JSON.stringify(envelopeWith({ [field]: id })))).toBe('PROTOCOL_VIOLATION');
    }
  });

  test.each(['a', 'aZ09_.:-', 'a'.repeat(128), '359287d7-0ed6-455a-8685-c1d67aedd0dd'])('A12: %j is an id', (id) => {
    expect(decode(JSON.stringify(envelopeWith({ id })))).toMatchObject({ id });
  });

  test('a missing transaction and the string "null" read as null; null is written [ENV-5]', () => {
    const { transaction: _left, ...rest } = envelopeWith();
    for (const written of [JSON.stringify(rest), JSON.stringify(envelopeWith({ transaction: 'null' }))]) {
      const envelope = decode(written) as Envelope;
      expect(envelope.transaction).toBeNull();
      expect(encode(envelope)).toContain('"transaction":null');
    }
  });

  test('a payload is never null [ENV-6]', () => {
    expect(codeOf(withPayload('null'))).toBe('PROTOCOL_VIOLATION');
    for (const payload of ['false', '0', '""', '[]', '{}', '[null]']) expect(codeOf(withPayload(payload))).toBe('fine');
  });
});
