import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, decodeFromServer, encode, Fault } from '../src/index.ts';
import { anyEnvelope } from './arbitraries.ts';

describe('decodeFromServer', () => {
  test('reads whatever a server of ours writes as decode does', () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const text = encode(envelope);
        expect(decodeFromServer(text)).toEqual(decode(text));
      }),
    );
  });

  test.each(['', '{bad', 'null', '[]', '7', '"text"', '{}', '{"id":"x"}'])('A1: %j is no envelope', (text) => {
    expect(decodeFromServer(text)).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
  });

  test('what it takes has its words as strings, a transaction or null, and a payload', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('null', '7', undefined));
    const keys = ['id', 'transaction', 'session', 'seq', 'ts', 'channel', 'type', 'payload'] as const;
    const object = fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(object, (fields) => {
        const read = decodeFromServer(
          JSON.stringify({ id: 'a', session: '', channel: 'AGENT', type: 'INFO', ...fields }),
        );
        if (read instanceof Fault) return;
        for (const word of [read.id, read.session, read.channel, read.type]) expect(typeof word).toBe('string');
        expect(read.transaction === null || typeof read.transaction === 'string').toBe(true);
        expect(read.transaction).not.toBe('null');
        expect(read.payload ?? null).not.toBeNull();
        for (const number of [read.seq, read.ts]) expect(Number(number)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test.each([{ toString: 1, valueOf: 1 }, ['5'], 5, true])(
    'A8: %j is no number of a server, and reads as "0"',
    (seq) => {
      const text = JSON.stringify({ id: 'a', session: '', channel: 'AGENT', type: 'INFO', payload: {}, seq, ts: seq });
      expect(decodeFromServer(text)).toMatchObject({ seq: '0', ts: '0' });
    },
  );

  test('A3: a seq or ts as deep as a text can be is 0 like any other that is no number', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const text = `{"id":"a","session":"s","channel":"AGENT","type":"INFO","payload":1,"seq":${deep},"ts":${deep}}`;

    expect(decodeFromServer(text)).toMatchObject({ seq: '0', ts: '0' });
  });
});
