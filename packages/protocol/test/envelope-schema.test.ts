// The schema is the source of truth; the codec's check by hand must say the same of everything.
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { envelopeFields, envelopeSchema, Fault, readEnvelope } from '../src/index.ts';
import { anyEnvelope, anySpoiltEnvelope } from './arbitraries.ts';
import { envelopeWith, loadVectors, type ValidVector } from './vectors.ts';

const runs = { numRuns: 5_000 };
const passesByHand = (value: unknown) => !(readEnvelope(structuredClone(value)) instanceof Fault);

test('the schema takes every sound envelope', () => {
  fc.assert(fc.property(anyEnvelope, (envelope) => v.is(envelopeSchema, envelope)));
});

test('the schema and the check by hand agree on envelopes with one to four fields spoilt', () => {
  let taken = 0;
  fc.assert(
    fc.property(anySpoiltEnvelope, (envelope) => {
      const passes = passesByHand(envelope);
      if (passes) taken++;
      expect(v.is(envelopeSchema, envelope)).toBe(passes);
    }),
    runs,
  );
  expect(taken).toBeGreaterThan(runs.numRuns / 20);
  expect(taken).toBeLessThan(runs.numRuns / 1.5);
});

test('they agree on anything that JSON can say', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => v.is(envelopeSchema, value) === passesByHand(value)));
});

test('they agree on every field of the vectors left out, and on null in its place', () => {
  for (const { envelope } of loadVectors<ValidVector>('valid')) {
    for (const field of envelopeFields) {
      const { [field]: _removed, ...without } = envelope;
      for (const changed of [without, { ...envelope, [field]: null }]) {
        expect(v.is(envelopeSchema, changed), `${envelope.type} ${field}`).toBe(passesByHand(changed));
      }
    }
  }
});

test('A8: a value of the wrong type is refused in every field, and nothing is coerced [ENV-2]', () => {
  const strings = [
    'id',
    'session',
    'seq',
    'ts',
    'channel',
    'type',
    'from_seq',
    'ack',
    'bin_mime',
    'run_id',
    'thread_id',
    'related_id',
  ];
  const others = ['transaction', 'bin_len', 'pv', 'crit'];
  const wrong = (field: string) =>
    fc.jsonValue({ maxDepth: 1 }).filter((value) => {
      if (strings.includes(field)) return typeof value !== 'string';
      if (field === 'transaction') return value !== null && typeof value !== 'string';
      return typeof value !== (field === 'crit' ? 'boolean' : 'number');
    });
  for (const field of [...strings, ...others]) {
    fc.assert(
      fc.property(wrong(field), (value) => {
        expect(readEnvelope(envelopeWith({ [field]: value }))).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
      }),
    );
  }
});

test('A8: seq and ts as numbers are refused, however whole they are', () => {
  for (const value of [0, 5, 1_755_187_354_681]) {
    expect(readEnvelope(envelopeWith({ seq: value }))).toBeInstanceOf(Fault);
    expect(readEnvelope(envelopeWith({ ts: value }))).toBeInstanceOf(Fault);
  }
});
