import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  decode,
  decodeWithBase64,
  defaultCodecLimits,
  type Envelope,
  encode,
  type Fault,
  type JsonObject,
  toBase64,
} from '../src/index.ts';
import { anyEnvelope } from './arbitraries.ts';
import { codeOf, envelopeWith, withPayload } from './vectors.ts';

const text = JSON.stringify(envelopeWith());

describe('text that is no envelope', () => {
  test.each(['', ' ', 'hello', '{', '}', '{"id":', '[]', 'null', '0', '"x"', `${text}${text}`, `${text},`, "{'id':1}"])(
    'A1: %j is a PROTOCOL_VIOLATION [ENV-1]',
    (input) => expect(codeOf(input)).toBe('PROTOCOL_VIOLATION'),
  );

  test('A1: any string gives an envelope or a fault, never an exception', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (input) => codeOf(input) !== undefined));
  });

  test('A1: a cut anywhere is a fault that quotes nothing of the text', () => {
    for (let length = 0; length < text.length; length++) {
      const { code, expected, got } = decode(text.slice(0, length)) as Fault;
      expect(code).toBe('PROTOCOL_VIOLATION');
      expect(`${expected} ${got}`).not.toContain('Hello');
    }
  });

  test('a fault names the message and its transaction when they could be read [ERR-1]', () => {
    const fault = decode(JSON.stringify(envelopeWith({ seq: 5 })));
    expect(fault).toMatchObject({ relatedId: 'm-1', transaction: 't-1' });
    expect(decode(JSON.stringify(envelopeWith({ seq: 5, transaction: 'null' })))).toMatchObject({ transaction: null });
  });
});

test('a fault tells the number of the message when it could be read, so that it can be taken', () => {
  expect(decode(JSON.stringify(envelopeWith({ ts: 5 })))).toMatchObject({ seq: '2' });
  expect(decode(JSON.stringify(envelopeWith({ ts: 5, seq: '007' })))).toMatchObject({ seq: undefined });
  expect(decode('{')).toMatchObject({ seq: undefined });
});

test.each([
  ['nests too deep', `${'['.repeat(40)}${']'.repeat(40)}`],
  ['has too many keys', JSON.stringify(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`seq${i}`, 'id'])))],
])('so does that of one that %s, and whose it is, though it is never parsed [ENV-10]', (_, payload) => {
  expect(decode(withPayload(payload))).toMatchObject({ relatedId: 'm-1', transaction: 't-1', seq: '2' });
  expect(decode(`[${withPayload(payload)}]`)).toMatchObject({ relatedId: undefined, seq: undefined });
});

describe('limits', () => {
  test.each([
    [31, 'fine'],
    [32, 'fine'],
    [33, 'PROTOCOL_VIOLATION'],
    [34, 'PROTOCOL_VIOLATION'],
    [5_000, 'PROTOCOL_VIOLATION'],
  ])('A3: %i levels of nesting: %s [ENV-10]', (levels, answer) => {
    const inside = levels - 1;
    expect(codeOf(withPayload('['.repeat(inside) + ']'.repeat(inside)))).toBe(answer);
    expect(codeOf(withPayload(`${'{"a":'.repeat(inside - 1)}{}${'}'.repeat(inside - 1)}`))).toBe(answer);
  });

  test('A3: a million levels are refused by their bytes, or by their depth when the bytes are allowed', () => {
    const million = withPayload('['.repeat(1_000_000));
    expect(codeOf(million)).toBe('MESSAGE_TOO_LARGE');
    const answer = decode(million, { ...defaultCodecLimits, maxTextBytes: 16 * 1024 * 1024 });
    expect(answer).toMatchObject({ code: 'PROTOCOL_VIOLATION', expected: 'at most 32 levels of nesting' });
  });

  test('A3: brackets inside strings are no levels', () => {
    expect(codeOf(withPayload(JSON.stringify('[{"\\'.repeat(500))))).toBe('fine');
  });

  test('A5: 256 keys in one object pass, 257 do not [ENV-10]', () => {
    const keys = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`, 0])));
    expect(codeOf(withPayload(keys(256)))).toBe('fine');
    expect(codeOf(withPayload(keys(257)))).toBe('PROTOCOL_VIOLATION');
    expect(codeOf(withPayload(`[${keys(200)},${keys(200)}]`))).toBe('fine');
  });

  test.each([
    ['sparse integer keys', `{${Array.from({ length: 10_000 }, (_, i) => `"${i * 400_000}":0`).join(',')}}`],
    ['keys in the innermost object', `${'['.repeat(30)}{${'"a":0,'.repeat(257)}`],
    ['levels', '['.repeat(100_000)],
    ['bytes that are not one string', `[${'"x",'.repeat(100_000)}0]`],
  ])('A5: too many %s never reach the parser', (_, payload) => {
    const parser = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parser.mockRestore());
    expect(decode(withPayload(payload))).toHaveProperty('code');
    expect(decodeWithBase64(withPayload(payload))).toHaveProperty('code');
    expect(parser).not.toHaveBeenCalled();
    expect(decode(text)).toMatchObject({ id: 'm-1' });
    expect(parser).toHaveBeenCalledOnce();
  });

  test('a text at the limit passes, one past it is MESSAGE_TOO_LARGE and closes 1009 [ENV-11]', () => {
    const limits = { ...defaultCodecLimits, maxTextBytes: text.length };
    expect(decode(text, limits)).toMatchObject({ id: 'm-1' });
    expect(decode(`${text} `, limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
  });

  test.each([10 ** 15, -1, 1.5, '3', null, 1_048_577])('A19: bin_len %j is refused [ENV-12]', (bin_len) => {
    expect(codeOf(JSON.stringify(envelopeWith({ bin_len })))).toBe('PROTOCOL_VIOLATION');
  });

  test.each([0, 1, 1_048_576])('A19: bin_len %j is read', (bin_len) => {
    expect(decode(JSON.stringify(envelopeWith({ bin_len })))).toMatchObject({ bin_len });
  });

  test('A19: bin_len written as 1e3 is the number it is, and as 1e999 it is none', () => {
    expect(decode(text.replace(/}$/, ',"bin_len":1e3}'))).toMatchObject({ bin_len: 1000 });
    expect(codeOf(text.replace(/}$/, ',"bin_len":1e999}'))).toBe('PROTOCOL_VIOLATION');
  });
});

describe('bytes as base64', () => {
  const limits = { ...defaultCodecLimits, maxTextBytes: 1000, maxBinaryBytes: 3000 };
  const audio = (data: unknown, type = 'AUDIO'): string =>
    encode(envelopeWith({ type, payload: { data } as JsonObject }));
  const read = (text: string) => decodeWithBase64(text, limits, Buffer.byteLength(text));

  test.each(['AUDIO', 'AUDIO_CHUNK'])(
    'the bytes of %s have their own limit, beside that for text [AUDIO-3]',
    (type) => {
      const [most, more] = [3000, 3001].map((length) => audio(toBase64(new Uint8Array(length)), type));
      expect(read(most as string)).toMatchObject({ type });
      const fault = read(more as string);
      expect(fault).toMatchObject({ code: 'MESSAGE_TOO_LARGE', relatedId: 'm-1', seq: '2' });
      expect(fault).toHaveProperty('close', undefined);
      expect(decode(most as string, limits)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
    },
  );

  test('what is beside them may be as long as a text, and no longer', () => {
    const data = toBase64(new Uint8Array(3000));
    const rest = 1000 - (audio(data).length + ',"note":""'.length - data.length);
    const beside = (length: number) =>
      encode(envelopeWith({ type: 'AUDIO', payload: { data, note: 'x'.repeat(length) } }));
    expect(read(beside(rest))).toMatchObject({ type: 'AUDIO' });
    expect(read(beside(rest + 1))).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
  });

  test.each([
    ['another type', audio('A'.repeat(1200), 'MESSAGE')],
    ['another field', encode(envelopeWith({ type: 'AUDIO', payload: { text: 'A'.repeat(1200) } }))],
    ['no field at all', encode(envelopeWith({ type: 'AUDIO', payload: 'A'.repeat(1200) }))],
    ['bytes as numbers', audio(Array(600).fill(0))],
    ['more than any message has', audio('A'.repeat(10_000))],
  ])('A4: %s is text: MESSAGE_TOO_LARGE, 1009', (_, text) => {
    expect(read(text)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
  });
});

describe('keys', () => {
  test.each(['__proto__', 'constructor', 'prototype'])(
    'A6: %s stays a key of the payload and changes nothing else [ENV-14]',
    (key) => {
      const { payload } = decode(withPayload(`{"${key}":{"admin":true}}`)) as Envelope;
      expect(Object.keys(payload as object)).toEqual([key]);
      expect(encode(envelopeWith({ payload }))).toContain(`{"${key}":{"admin":true}}`);
      expect({}).not.toHaveProperty('admin');
      expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
    },
  );

  test.each(['__proto__', 'constructor'])('A6: %s as an envelope field is one more unknown field', (key) => {
    const envelope = decode(text.replace(/}$/, `,"${key}":{"type":"HAI"}}`)) as Envelope;
    expect(encode(envelope)).toBe(text);
  });

  test.each(Object.entries(envelopeWith()))('A7: %s twice is a PROTOCOL_VIOLATION [ENV-7]', (key, value) => {
    const again = JSON.stringify(value);
    expect(codeOf(text.replace(/}$/, `,"${key}":${again}}`))).toBe('PROTOCOL_VIOLATION');
    expect(codeOf(`{"${key}":${again},${text.slice(1)}`)).toBe('PROTOCOL_VIOLATION');
  });

  test.each(Object.keys(envelopeWith()))('A7: %s twice is found when one is written with escapes', (key) => {
    const escaped = [...key].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    expect(codeOf(text.replace(/}$/, `,"${escaped}":"x"}`))).toBe('PROTOCOL_VIOLATION');
  });

  test('A7: a colon inside a string is no key', () => {
    expect(decode(withPayload('"a:b:\\":c"'))).toMatchObject({ payload: 'a:b:":c' });
  });

  test('A14: unknown fields are not written again [ENV-8]', () => {
    const envelope = decode(JSON.stringify(envelopeWith({ colour: 'blue', auth: { token: 'secret' } }))) as Envelope;
    expect(encode(envelope)).toBe(text);
  });

  test('A13: in a critical message an unknown field is UNSUPPORTED_TYPE, without crit it is ignored [ENV-9]', () => {
    expect(codeOf(JSON.stringify(envelopeWith({ crit: true, colour: 'blue' })))).toBe('UNSUPPORTED_TYPE');
    expect(codeOf(JSON.stringify(envelopeWith({ crit: false, colour: 'blue' })))).toBe('fine');
    expect(codeOf(JSON.stringify(envelopeWith({ crit: true })))).toBe('fine');
  });
});

test('what was encoded decodes to the same envelope', () => {
  fc.assert(
    fc.property(anyEnvelope, (envelope) => {
      expect(decode(encode(envelope))).toEqual(envelope);
    }),
  );
});

test('encode writes what JSON.stringify writes of the same fields', () => {
  fc.assert(
    fc.property(anyEnvelope, (envelope) => {
      expect(JSON.parse(encode(envelope))).toEqual(JSON.parse(JSON.stringify(envelope)));
    }),
  );
});

test.each(['1e999', '-1e999', '{"a":[1e400]}', '9'.repeat(309)])(
  'A8: a payload with a number beyond a double is refused: %s [ENV-20]',
  (payload) => {
    const beyond = `${JSON.stringify(envelopeWith({ payload: 0 }))
      .slice(0, -1)
      .replace('"payload":0', `"payload":${payload}`)}}`;
    expect(decode(beyond)).toMatchObject({ code: 'PROTOCOL_VIOLATION', relatedId: 'm-1' });
    expect(decode(beyond.replace(payload, '1e308'))).toMatchObject({ payload: 1e308 });
  },
);
