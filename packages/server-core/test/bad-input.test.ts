import { describe, expect, test } from 'vitest';
import { answerTo, errorsOf, say, settled, start, testServer } from './support.ts';

const serverOnly = ['RUN_STARTED', 'RUN_FINISHED', 'RUN_ERROR'];
const serversAnswers: [string, object][] = [
  ['TOOL_LIST', { tools: [] }],
  ['TOOL_SCHEMA', { tool: 'echo', schema: {} }],
  ['TRANSACTION_START', { toolName: 'echo', referenceId: 'ref' }],
  ['TRANSACTION_JOIN', { verdict: 'resumed' }],
  ['TRANSACTION_LIST', { transactions: [] }],
  ['INFO', { kind: 'receipt' }],
  ['INFO', { kind: 'ack' }],
  ['MESSAGE_END', { message_id: 'm', text: 'mine' }],
  ['MESSAGE_END', { message_id: 'm', start_seq: '1' }],
];

describe('a message that is wrong', () => {
  test('A1: is answered PROTOCOL_VIOLATION while the connection and its neighbours live on [ERR-4]', async () => {
    const { enter, clock } = testServer();
    const [peer, neighbour] = [await enter('ada'), await enter('eve')];
    const { id } = await start(neighbour);
    const before = neighbour.received.length;
    void peer.sendText('not JSON CANARY');
    const error = await peer.until('ERROR');
    await clock.settle();

    expect(error.payload).toMatchObject({ code: 'PROTOCOL_VIOLATION', expected: 'JSON' });
    expect(JSON.stringify(peer.received)).not.toContain('CANARY');
    expect(neighbour.received).toHaveLength(before);
    expect(await say(neighbour, id, 'fine')).toBe(2);
    await settled(peer, peer.send({ type: 'PING' }));
  });

  test('[ERR-5] ten within a minute are borne, an eleventh ends the connection 1008', async () => {
    const { enter, clock } = testServer();
    const [hasty, slow] = [await enter(), await enter()];
    for (let n = 0; n < 10; n++) void hasty.sendText('{');
    for (let n = 0; n < 10; n++) void slow.sendText('{');
    await clock.settle();
    expect(errorsOf(hasty)).toHaveLength(10);
    void hasty.sendText('{');
    expect(await hasty.closed).toMatchObject({ code: 1008 });
    for (let waited = 0; waited < 60_000; waited += 10_000) {
      await clock.advance(10_000);
      await settled(slow, slow.send({ type: 'PING' }));
    }
    void slow.sendText('{');
    await clock.settle();

    expect(errorsOf(slow)).toHaveLength(11);
    await settled(slow, slow.send({ type: 'PING' }));
  });

  test('A13: an unknown type is ignored and its number taken; with crit it is UNSUPPORTED_TYPE [ENV-9]', async () => {
    const { enter } = testServer();
    const peer = await enter();
    await settled(peer, peer.send({ type: 'FUTURE' }));
    expect(errorsOf(peer)).toEqual([]);
    const critical = peer.send({ type: 'FUTURE', crit: true });
    expect((await answerTo(peer, critical)).payload).toMatchObject({ code: 'UNSUPPORTED_TYPE', retry: false });
    const seq = String(Number(critical.seq) + 1);
    void peer.sendText(JSON.stringify({ ...critical, id: 'stranger', seq, type: 'PING', stranger: 1 }));

    expect((await answerTo(peer, { id: 'stranger' })).payload).toMatchObject({ code: 'UNSUPPORTED_TYPE' });
    await settled(peer, { seq });
  });

  test.each([
    ['MESSAGE_PART', {}],
    ['MESSAGE_PART', { message_id: 'm', text: 7 }],
    ['MESSAGE_START', 'text'],
    ['MESSAGE_START', []],
    ['TRANSACTION_JOIN', { seq: 5 }],
    ['REPLAY_REQUEST', {}],
    ['AUDIO', { message_id: '*' }],
    ['TOOL_CALL', { call_id: 'c' }],
    ['PING', 'x'],
  ])(
    'A15: %s with payload %j is answered PROTOCOL_VIOLATION with related_id [ENV-15, ERR-1]',
    async (type, payload) => {
      const { enter } = testServer();
      const peer = await enter();
      const sent = peer.send({ type, transaction: 'tx', payload: payload as never });
      const error = await answerTo(peer, sent);

      expect(error.payload).toMatchObject({ code: 'PROTOCOL_VIOLATION', retry: false, expected: expect.any(String) });
      await settled(peer, sent);
    },
  );

  test.each(serverOnly)('A61: %s, which only servers write, is UNAUTHORIZED [ENV-19]', async (type) => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const payload = { run_id: 'run', status: 'OK', code: 'X' };
    const error = await answerTo(peer, peer.send({ type, transaction: id, payload, run_id: 'run' }));

    expect(error.payload).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test.each(serversAnswers)('A61: %s with %j, as only servers write it, is UNAUTHORIZED', async (type, payload) => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const error = await answerTo(peer, peer.send({ type, transaction: id, payload: payload as never }));

    expect(error.payload).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('[ENV-5] without a transaction where it needs one is answered PROTOCOL_VIOLATION', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const error = await answerTo(peer, peer.send({ type: 'MESSAGE', transaction: 'null', payload: 'x' }));

    expect(error).toMatchObject({ transaction: null, payload: { code: 'PROTOCOL_VIOLATION' } });
  });

  test('A18: bytes behind a type that has none are refused, and nothing is stored', async () => {
    const { enter } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    const sent = peer.send({ type: 'MESSAGE', transaction: id, payload: 'with bytes' }, new Uint8Array(3));

    expect((await answerTo(peer, sent)).payload).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    expect(await say(peer, id, 'next')).toBe(2);
  });
});

describe('a request that names a transaction', () => {
  test.each([
    ['PING', {}],
    ['PONG', {}],
    ['INFO', { kind: 'typing' }],
    ['ERROR', { code: 'X' }],
    ['FLOW_UPDATE', {}],
    ['TOOL_LIST', {}],
    ['TOOL_SCHEMA', { tool: 'echo' }],
    ['TRANSACTION_LIST', {}],
  ])('[LOG-2] %s is taken and never stored', async (type, payload) => {
    const { enter, history } = testServer();
    const peer = await enter();
    const { id } = await start(peer);
    await settled(peer, peer.send({ type, transaction: id, payload }));

    expect(errorsOf(peer)).toEqual([]);
    expect(await history.head(id)).toMatchObject({ last: 1 });
  });
});
