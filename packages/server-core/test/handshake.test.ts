import { memoryHistory } from '@haip/history-memory';
import type { Authenticator } from '@haip/protocol';
import { defaultCodecLimits, eventTypes, protocolVersion } from '@haip/protocol';
import { memoryLink, rawPeer } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { HAIPServer } from '../src/index.ts';
import { errorsOf, seeEntry, sendHai, start, testServer, times, userOf } from './support.ts';

describe('a HAI that is granted', () => {
  test('[HAI-3] is answered with the session, the terms, the limits and a resume token', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const [sent] = [peer.received[0]];

    expect(sent).toMatchObject({ type: 'HAI', seq: '0', ack: '1', transaction: null, session: peer.session });
    expect(sent?.related_id).toMatch(/^raw-/);
    expect(sent?.payload).toMatchObject({
      haip_version: protocolVersion,
      accept_major: [1],
      accept_events: Object.keys(eventTypes),
      capabilities: { binary_frames: true, transaction_log: true },
      limits: { max_joined: 100 },
      retry_within_ms: 600_000,
      resume_token: expect.stringContaining(peer.session),
    });
  });

  test('tells how large a message the link reads, whatever a tool may say', async () => {
    const { enter } = testServer({ limits: { maxTextBytes: 5_120, maxBinaryBytes: 5_120 } });
    const serverLimits = { ...defaultCodecLimits, maxTextBytes: 70_000, maxBinaryBytes: 80_000 };
    const limitsOf = async (link: object) => (await enter('ada', {}, link)).received[0]?.payload.limits;
    expect(await limitsOf({ serverLimits })).toMatchObject({ max_text_bytes: 70_000, max_binary_bytes: 80_000 });
    expect(await limitsOf({})).toMatchObject({ max_text_bytes: 262_144, max_binary_bytes: 1_048_576 });
  });

  test('[HAI-19, V1-1] without transaction_log the peer is counted by nobody and sent no ack', async () => {
    const { connect } = testServer();
    const peer = connect();
    await peer.hai({ auth: { user: 'ada' }, capabilities: {} });
    peer.send({ type: 'PING', seq: '77' });
    peer.send({ type: 'PING', seq: '77' });
    await peer.until('PONG');
    await peer.until('PONG');

    expect(peer.received.filter(({ ack }) => ack !== undefined)).toEqual([]);
    expect(errorsOf(peer)).toEqual([]);
  });
});

describe('a HAI that is refused', () => {
  test.each([
    { haip_version: '9.0.0', accept_major: [9] },
    { accept_major: [2] },
    { accept_major: undefined, haip_version: '9.1.0' },
    { accept_major: [] },
  ])('A16: %j has no major in common: VERSION_INCOMPATIBLE, closed 1008', async (terms) => {
    const { connect, logged } = testServer({ authenticate: () => expect.unreachable('asked before the version') });
    const peer = connect();
    const answer = await peer.hai({ auth: { user: 'ada' }, ...terms });

    expect(answer.payload).toMatchObject({ code: 'VERSION_INCOMPATIBLE', retry: false });
    expect(await peer.closed).toMatchObject({ code: 1008 });
    expect(logged).toEqual([]);
  });

  const broken: [string, () => unknown][] = [
    ['null', () => null],
    ['undefined', () => undefined],
    ['an empty object', () => ({})],
    ['true', () => true],
    ['a text', () => 'ada'],
    ['no id', () => ({ ...userOf('ada'), id: undefined })],
    ['an empty id', () => userOf('')],
    ['a number as id', () => ({ ...userOf('ada'), id: 7 })],
    ['an id of 129 characters', () => userOf('a'.repeat(129))],
    ['no permissions', () => ({ id: 'ada', credits: 1 })],
    ['permissions as a list', () => userOf('ada', { permissions: [] as never })],
    ['a permission that is no list', () => userOf('ada', { permissions: { MESSAGE: '*' } as never })],
    ['a permission map of texts', () => userOf('ada', { permissions: new Map([['MESSAGE', '*']]) as never })],
    ['no credits', () => ({ id: 'ada', permissions: {} })],
    ['negative credits', () => userOf('ada', { credits: -1 })],
    ['endless credits', () => userOf('ada', { credits: Number.POSITIVE_INFINITY })],
    ['credits that are no number', () => userOf('ada', { credits: Number.NaN })],
    ['channels that are no list', () => userOf('ada', { channels: 'USER' as never })],
    ['a channel outside the grammar', () => userOf('ada', { channels: ['*'] })],
    ['rights that have expired', () => userOf('ada', { expiresAt: 1 })],
    ['a getter that throws', () => Object.defineProperty({}, 'id', { get: () => expect.unreachable() })],
    ['a throw', () => expect.unreachable('CANARY')],
    ['a rejection', () => Promise.reject(new Error('CANARY'))],
    ['a rejection with nothing', () => Promise.reject()],
  ];

  test.each(broken)('A39: an authenticator that gives %s refuses [HAI-5]', async (_, answer) => {
    const { connect, server, clock } = testServer({ authenticate: answer as Authenticator });
    const peer = connect();
    const error = await peer.hai();

    expect(error).toMatchObject({ type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED', retry: false } });
    expect(error.payload.message).toBe('the credentials were not accepted');
    expect(await peer.closed).toMatchObject({ code: 1008 });
    await clock.settle();
    expect([server.connections, clock.pending]).toEqual([0, 0]);
  });

  test('A39: a permission map of lists, as of v1, is as good as one of sets', async () => {
    const user = userOf('ada', { permissions: new Map([['MESSAGE', ['*']]]) as never });
    const { enter } = testServer({ authenticate: () => user });
    const peer = await enter();
    const { id } = await start(peer);
    peer.send({ type: 'MESSAGE', transaction: id, payload: 'Hello' });
    peer.send({ type: 'MESSAGE_UPDATE', transaction: id, payload: { message_id: 'm-1', text: 'Bye' } });

    expect((await seeEntry(peer, { type: 'MESSAGE' })).payload).toBe('Hello');
    expect((await peer.until('ERROR')).payload).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('one that throws an error with retry could not tell: its client comes back [HAI-5]', async () => {
    const down = Object.assign(new Error('CANARY'), { retry: true });
    const { connect } = testServer({ authenticate: () => Promise.reject(down) });
    const peer = connect();
    const error = await peer.hai();

    expect(error.payload).toMatchObject({ code: 'OVERLOADED', retry: true });
    expect(JSON.stringify(error)).not.toContain('CANARY');
    expect(await peer.closed).toMatchObject({ code: 1013 });
  });

  test('A39: a server without an authenticator lets nobody in', async () => {
    const told: string[] = [];
    const server = new HAIPServer({ history: memoryHistory(), logger: (_, event) => told.push(event) });
    const link = memoryLink();
    void server.accept(link.server, { transport: 'memory', headers: {} });

    expect((await rawPeer(link.client).hai({})).payload).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(told).toEqual(['authenticator missing']);
    await server.close();
  });

  test('A71: what an authenticator throws is logged and never told [ERR-2]', async () => {
    const { connect, logged } = testServer({ authenticate: () => Promise.reject(new Error('CANARY at db.ts:7')) });
    const peer = connect();
    await peer.hai();

    expect(JSON.stringify(peer.received)).not.toContain('CANARY');
    expect((await peer.closed).reason).not.toContain('CANARY');
    expect(String(logged[0]?.fields['error'])).toContain('CANARY');
  });
});

describe('the first message', () => {
  const others = [...Object.keys(eventTypes), 'START_TRANSACTION', 'NO_SUCH_TYPE'].filter((type) => type !== 'HAI');
  test.each(others)('A36: %s in place of HAI is answered PROTOCOL_VIOLATION and closed 1008 [HAI-1]', async (type) => {
    const { connect } = testServer({ authenticate: () => expect.unreachable('asked without a HAI') });
    const peer = connect();
    peer.send({ type, transaction: 'tx', crit: true });
    const error = await peer.expect('ERROR');

    expect(error.payload).toEqual({
      code: 'PROTOCOL_VIOLATION',
      message: 'the message breaks the grammar of the wire',
      retry: false,
      expected: 'HAI first',
      got: 'another type',
    });
    expect(await peer.closed).toMatchObject({ code: 1008 });
    expect(peer.received).toHaveLength(1);
  });

  test('A1: text that is not JSON before HAI is answered PROTOCOL_VIOLATION and closed 1008', async () => {
    const { connect } = testServer();
    const peer = connect();
    void peer.sendText('{"id": nonsense CANARY');

    expect((await peer.expect('ERROR')).payload).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(await peer.closed).toMatchObject({ code: 1008 });
    expect(JSON.stringify(peer.received)).not.toContain('CANARY');
  });

  test('A15: a misshapen HAI is answered PROTOCOL_VIOLATION and closed 1008, nobody being asked', async () => {
    const { connect } = testServer({ authenticate: () => expect.unreachable('asked with a misshapen HAI') });
    const peer = connect();

    expect((await peer.hai({ resume: 'everything' })).payload).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(await peer.closed).toMatchObject({ code: 1008 });
  });

  test('[ACK-1] a HAI whose number is not 1 is answered SEQ_VIOLATION and does not supersede anybody', async () => {
    const { connect, enter } = testServer();
    const live = await enter();
    const resume_token = live.received[0]?.payload.resume_token;
    const peer = connect();
    sendHai(peer, { auth: { user: 'ada' }, resume_token, attempt: '9' }, { seq: '2' });

    expect((await peer.expect('ERROR')).payload).toMatchObject({ code: 'SEQ_VIOLATION', expected: '1' });
    expect(await peer.closed).toMatchObject({ code: 1008 });
    expect((await start(live)).id).toBeTruthy();
  });

  test('[HAI-7] a connection that ends before it said HAI leaves nothing behind', async () => {
    const { connect, clock, server } = testServer();
    const [cut, closed] = [connect(), connect()];
    await clock.settle();
    cut.link.cut();
    closed.connection.close(1000);
    await clock.settle();

    expect([server.connections, clock.pending]).toEqual([0, 0]);
  });

  test('A27: a connection that says no HAI within 5 s is closed 4408 and leaves nothing [HAI-2]', async () => {
    const { connect, clock, server } = testServer();
    const peers = times(1000, () => connect());
    await clock.advance(4_999);
    expect([server.connections, clock.pending]).toEqual([1000, 1000]);
    await clock.advance(1);

    for (const peer of peers) expect(await peer.closed).toMatchObject({ code: 4408 });
    expect([server.connections, clock.pending]).toEqual([0, 0]);
  });
});
