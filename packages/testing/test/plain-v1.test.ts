import { describe, expect, test } from 'vitest';
import { fakeClock, memoryLink, memoryTransport, plainV1Client, plainV1Server, rawPeer, settle } from '../src/index.ts';

describe('plain v1 peers', () => {
  test('understand each other: ten texts come back through echo', async () => {
    const server = plainV1Server();
    const connection = await memoryTransport(server.accept).dial({}, new AbortController().signal);
    const client = plainV1Client(connection);
    const transaction = await client.start('echo');
    for (let i = 0; i < 10; i++) client.sendText(transaction, `text ${i}`);
    const messages = await client.untilMessages(10);
    expect(messages.map(({ payload }) => payload)).toEqual(Array.from({ length: 10 }, (_, i) => `text ${i}`));
    expect(client.dropped).toEqual([]);
  });

  test('the client pipelines its start behind HAI and writes a clock as seq, twice the same', async () => {
    const link = memoryLink();
    const server = rawPeer(link.server);
    void plainV1Client(link.client).start('echo');
    const [hai, start] = [await server.expect('HAI'), await server.expect('TRANSACTION_START')];
    expect([hai.channel, start.channel, start.seq]).toEqual(['SYSTEM', 'SYSTEM', hai.seq]);
    expect([hai.payload.auth, start.payload.auth]).toEqual([{ token: 'Bearer TOKEN' }, { token: 'Bearer TOKEN' }]);
  });

  test('the client answers eight PINGs in its life and drops what it does not know', async () => {
    const link = memoryLink();
    const server = rawPeer(link.server);
    const client = plainV1Client(link.client);
    for (let i = 0; i < 12; i++) server.send({ type: 'PING', payload: { i } });
    server.send({ type: 'MESSAGE', transaction: 't', payload: '' });
    server.send({ type: 'INFO', payload: { kind: 'receipt' } });
    await settle();
    expect(server.received.filter(({ type }) => type === 'PONG').map(({ payload }) => payload.i)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
    expect([client.pongs, client.messages.length, client.dropped.length]).toEqual([8, 0, 2]);
  });

  test('the server speaks first, with a seq outside the grammar and "null" for null', async () => {
    const link = memoryLink();
    void plainV1Server().accept(link.server, { transport: 'memory', headers: {} });
    const client = rawPeer(link.client);
    const hai = await client.expect('HAI');
    expect([hai.seq, hai.transaction]).toEqual(['0', null]);
    client.send({ type: 'HAI', payload: { auth: { token: 'Bearer TOKEN' } } });
    await settle();
    expect(client.received).toHaveLength(1);
  });

  test('the server sends a PING every 30 s for as long as it has the connection', async () => {
    const clock = fakeClock();
    const link = memoryLink();
    void plainV1Server({ clock }).accept(link.server, { transport: 'memory', headers: {} });
    const client = rawPeer(link.client);
    await clock.advance(29_999);
    expect(client.received.map(({ type }) => type)).toEqual(['HAI']);
    await clock.advance(30_001);
    expect(client.received.map(({ type }) => type)).toEqual(['HAI', 'PING', 'PING']);
    link.cut();
    await clock.settle();
    expect(clock.pending).toBe(0);
  });

  test('the server refuses wrong credentials with FAILED_AUTH and 1008', async () => {
    const link = memoryLink();
    void plainV1Server().accept(link.server, { transport: 'memory', headers: {} });
    const client = plainV1Client(link.client, { auth: { token: 'wrong' } });
    expect((await client.closed).code).toBe(1008);
    expect(client.errors.map(({ payload }) => payload.code)).toEqual(['FAILED_AUTH']);
  });

  test('the server answers what it does not know with the errors of its time', async () => {
    const link = memoryLink();
    void plainV1Server().accept(link.server, { transport: 'memory', headers: {} });
    const client = rawPeer(link.client);
    client.send({ type: 'HAI', payload: { auth: { token: 'Bearer TOKEN' } } });
    client.send({ type: 'TRANSACTION_START', transaction: 'mine', payload: { toolName: 'echo' } });
    const { transaction } = await client.until('TRANSACTION_START');
    client.send({ type: 'TRANSACTION_JOIN', transaction });
    client.send({ type: 'TRANSACTION_LIST' });
    client.send({ type: 'TRANSACTION_START', transaction: 'other', payload: { toolName: 'missing' } });
    const codes = [await client.next(), await client.next(), await client.next()].map(({ payload }) => payload.code);
    expect(codes).toEqual(['UNAUTHORIZED', 'TRANSACTION_NOT_FOUND', 'TOOL_NOT_FOUND']);
  });
});
