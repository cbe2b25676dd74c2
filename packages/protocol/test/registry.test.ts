import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  checkFromClient,
  currentName,
  type EventName,
  type EventType,
  eventType,
  eventTypes,
  type JsonValue,
  readEnvelope,
} from '../src/index.ts';
import { envelopeWith, loadVectors, type ValidVector } from './vectors.ts';

const names = Object.keys(eventTypes) as EventName[];
const events = Object.entries(eventTypes) as [EventName, EventType][];
const samples = loadVectors<ValidVector>('valid');

const check = (type: EventName, payload: JsonValue) =>
  checkFromClient(envelopeWith({ type, payload }), eventType(type) as EventType);

const writtenByClients = names.filter((name) => 'client' in eventTypes[name]);
const withObjects = writtenByClients.filter((name) => name !== 'MESSAGE');

describe('payloads', () => {
  test.each(writtenByClients)('each sample of %s passes as a client writes it', (type) => {
    const own = samples.filter(({ from, envelope }) => from === 'client' && envelope.type === type);
    expect(own.length).toBeGreaterThan(0);
    expect(own.map(({ envelope }) => check(type, envelope.payload))).toEqual(own.map(() => undefined));
  });

  test.each(names.filter((name) => 'server' in eventTypes[name]))(
    'each sample of %s passes as a server writes it',
    (type) => {
      const { server } = eventTypes[type] as Required<EventType>;
      const own = samples.filter(({ from, envelope }) => from === 'server' && envelope.type === type);
      expect(own.length).toBeGreaterThan(0);
      expect(own.filter(({ envelope }) => !v.is(server, envelope.payload))).toEqual([]);
    },
  );

  test.each(withObjects)(
    'A15: %s with an array, a string, a number or a boolean is refused and named [ENV-15]',
    (type) => {
      for (const payload of [[], [{}], '', 'hello', 0, 5, true, false]) {
        expect(check(type, payload)).toMatchObject({
          code: 'PROTOCOL_VIOLATION',
          relatedId: 'm-1',
          transaction: 't-1',
        });
      }
    },
  );

  test.each(withObjects)('A15: %s with any JSON gets a verdict that quotes none of it', (type) => {
    const anyObject = fc.dictionary(
      fc.constantFrom('message_id', 'text', 'seq', 'kind', 'code', 'channel'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), anyObject), fc.string({ minLength: 6 }), (value, secret) => {
        const fault = check(type, { ...(value as object), note: secret, text: [secret] });
        expect(`${fault?.expected} ${fault?.got}`).not.toContain(secret);
      }),
    );
  });

  test('A15: MESSAGE takes any JSON but null', () => {
    for (const payload of ['', 0, false, [], {}, 'hello']) expect(check('MESSAGE', payload)).toBeUndefined();
    expect(readEnvelope(envelopeWith({ payload: null }))).toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      relatedId: 'm-1',
    });
  });

  test('a fault says where it was and what was expected there [ERR-1]', () => {
    expect(check('REPLAY_REQUEST', { from_seq: '007' })).toMatchObject({
      expected: 'payload.from_seq: a decimal string',
      got: 'a string',
    });
    expect(check('HAI', { resume: [{ transaction: 't 1' }] })).toMatchObject({
      expected: 'payload.resume.0.transaction: an id',
    });
    expect(check('TRANSACTION_LEAVE', [])).toMatchObject({ expected: 'payload: an object', got: 'an array' });
    expect(check('TOOL_CALL', { call_id: null, tool: 'x' })).toMatchObject({ got: 'null' });
  });

  test('a number in a payload goes up to 2^64-1, as in the envelope', () => {
    expect(check('REPLAY_REQUEST', { from_seq: '18446744073709551615' })).toBeUndefined();
    expect(check('REPLAY_REQUEST', { from_seq: '18446744073709551616' })).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
  });
});

describe('direction', () => {
  test.each(['RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR'] as const)(
    'A61: %s is written by servers alone [ENV-19]',
    (type) => {
      for (const payload of [{}, { status: 'OK' }, { code: 'X' }]) {
        expect(check(type, payload)).toMatchObject({ code: 'UNAUTHORIZED', relatedId: 'm-1' });
      }
    },
  );

  test.each<[EventName, JsonValue]>([
    ['TRANSACTION_START', { referenceId: 'ref-1', toolName: 'echo' }],
    ['TRANSACTION_JOIN', { verdict: 'resumed', epoch: 'ep-1', seq: '1', last: '1' }],
    ['TRANSACTION_JOIN', { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' }],
    ['TRANSACTION_LIST', { transactions: [] }],
    ['TOOL_LIST', { tools: [{ name: 'echo' }] }],
    ['TOOL_SCHEMA', { tool: 'echo', schema: { type: 'string' } }],
    ['MESSAGE_END', { message_id: 'w-1', start_seq: '3' }],
    ['MESSAGE_END', { message_id: 'w-1', text: 'mine' }],
    ['INFO', { kind: 'receipt' }],
    ['INFO', { kind: 'ack' }],
    ['INFO', { kind: 'position' }],
    ['INFO', { kind: 'replayed', first: '1', to: '2' }],
    ['INFO', { kind: 'balance', credits: 1_000_000 }],
  ])('A61: %s as a server writes it is UNAUTHORIZED from a client: %j', (type, payload) => {
    expect(check(type, payload)).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('a request that is merely broken is a PROTOCOL_VIOLATION, although a server might write it', () => {
    expect(check('TRANSACTION_JOIN', { epoch: 'ep-1', seq: 5 })).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(check('HAI', { resume: 5 })).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(check('INFO', { kind: 5 })).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
  });

  test('INFO of a kind that nobody knows passes, to be ignored', () => {
    expect(check('INFO', { kind: 'mood' })).toBeUndefined();
  });

  test('the INFO that ends a page of replay says what it covered; an INFO of another kind need say nothing', () => {
    const { server } = eventTypes.INFO;
    expect(v.is(server, { kind: 'replayed', first: '1', to: '7' })).toBe(true);
    expect(v.is(server, { kind: 'replayed', to: '7' })).toBe(false);
    expect(v.is(server, { kind: 'replayed', first: '1', to: 7 })).toBe(false);
    expect(v.is(server, { kind: 'mood' })).toBe(true);
  });

  test('REPLAY_REQUEST is written by clients alone', () => {
    expect(eventTypes.REPLAY_REQUEST).not.toHaveProperty('server');
  });
});

describe('names', () => {
  test('A13: an unknown type is unknown, whatever objects inherit', () => {
    for (const type of ['DANCE', 'message', 'toString', 'constructor', '__proto__', ''])
      expect(eventType(type)).toBeUndefined();
  });

  test("the old names are read as today's, every other as itself [ENV-16]", () => {
    expect(currentName('START_TRANSACTION')).toBe('TRANSACTION_START');
    expect(currentName('AUDIO_CHUNK')).toBe('AUDIO');
    for (const name of [...names, 'DANCE', '__proto__']) expect(currentName(name)).toBeUndefined();
  });

  test('what is about the connection, a request or a reply is not stored; all else is', () => {
    const notStored = events.filter(([, { stored }]) => !stored).map(([name]) => name);
    expect(notStored).toEqual([
      ...names.filter((name) => eventTypes[name].family === 'connection'),
      ...['TRANSACTION_LIST', 'REPLAY_REQUEST', 'TOOL_LIST', 'TOOL_SCHEMA'],
    ]);
  });
});
