// The vectors that other languages test with hold for this package too.
import { describe, expect, test } from 'vitest';
import { encode, errorCodes, eventTypes, Fault, fromBase64 } from '../src/index.ts';
import { type InvalidVector, loadVectors, read, textOf, type ValidVector } from './vectors.ts';

const valid = loadVectors<ValidVector>('valid');
const invalid = loadVectors<InvalidVector>('invalid');

describe('valid vectors', () => {
  test.each(valid)('$name [ENV-1]', ({ from, envelope, text }) => {
    expect(read(text ?? JSON.stringify(envelope), from)).toMatchObject(envelope);
  });

  test.each(valid)('$name: written again it reads the same', ({ from, envelope }) => {
    expect(JSON.parse(JSON.stringify(read(encode(envelope), from)))).toEqual(JSON.parse(JSON.stringify(envelope)));
  });

  test.each(valid.filter((vector) => vector.bytes_base64 !== undefined))(
    '$name: bin_len counts its bytes',
    (vector) => {
      const bytes = fromBase64(vector.bytes_base64 ?? '');
      expect(bytes?.length).toBe(vector.envelope.bin_len);
    },
  );

  test('show every event type, as each side that may write it writes it', () => {
    const shown = new Set(valid.map(({ from, envelope }) => `${envelope.type} ${from}`));
    const expected = Object.entries(eventTypes).flatMap(([type, event]) =>
      (['client', 'server'] as const).filter((side) => side in event).map((side) => `${type} ${side}`),
    );
    expect(expected.filter((pair) => !shown.has(pair))).toEqual([]);
  });
});

describe('invalid vectors', () => {
  test.each(invalid)('$name', (vector) => {
    const answer = read(textOf(vector), vector.from);
    expect(answer).toBeInstanceOf(Fault);
    const { code, relatedId, close } = answer as Fault;
    expect({ code, related_id: relatedId, close }).toEqual({
      related_id: undefined,
      close: undefined,
      ...vector.fault,
    });
    expect(errorCodes).toHaveProperty(code);
  });

  test.each(invalid)('$name: the fault quotes nothing of the input', (vector) => {
    const { expected, got } = read(textOf(vector), vector.from) as Fault;
    expect(`${expected} ${got}`).not.toContain('Hello');
  });
});
