import type { Connection } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { memoryLink, memoryTransport, rawPeer, settle } from '../src/index.ts';

function peers() {
  const link = memoryLink();
  return { link, client: rawPeer(link.client), server: rawPeer(link.server) };
}

describe('rawPeer', () => {
  test('fills in all eight fields and counts seq from 1; a seq that is given takes no number', async () => {
    const { client, server } = peers();
    client.send({ type: 'HAI' });
    client.send({ type: 'PING', seq: '77' });
    client.send({ type: 'PONG', transaction: 't' });
    const got = [await server.next(), await server.next(), await server.next()];
    expect(got.map(({ seq, transaction }) => [seq, transaction])).toEqual([
      ['1', null],
      ['77', null],
      ['2', 't'],
    ]);
    expect(Object.keys(got[0] ?? {}).sort()).toEqual(
      ['channel', 'id', 'payload', 'seq', 'session', 'transaction', 'ts', 'type'].sort(),
    );
    expect(new Set(got.map(({ id }) => id)).size).toBe(3);
  });

  test('hai waits for its answer and takes over the session it names', async () => {
    const { client, server } = peers();
    const answered = client.hai({ auth: { token: 'x' } });
    const hai = await server.expect('HAI');
    expect(hai.payload).toMatchObject({ auth: { token: 'x' }, capabilities: { transaction_log: true } });
    server.send({ type: 'HAI', session: 'given', related_id: hai.id });
    expect((await answered).session).toBe('given');
    expect(client.send({ type: 'PING' }).session).toBe('given');
  });

  test('expect says what came instead', async () => {
    const { client, server } = peers();
    server.send({ type: 'ERROR', payload: { code: 'UNAUTHORIZED' } });
    await expect(client.expect('HAI')).rejects.toThrow('expected HAI, got ERROR {"code":"UNAUTHORIZED"}');
  });

  test('until takes what does not fit, and nothing is taken twice', async () => {
    const { client, server } = peers();
    for (const type of ['PING', 'PING', 'INFO', 'PONG']) server.send({ type });
    expect((await client.until('INFO')).type).toBe('INFO');
    expect((await client.until(({ seq }) => seq === '4')).type).toBe('PONG');
    expect(client.received.map(({ type }) => type)).toEqual(['PING', 'PING', 'INFO', 'PONG']);
  });

  test('who waits for what never comes is told how the connection ended', async () => {
    const { client, server, link } = peers();
    server.send({ type: 'PING' });
    link.server.close(1008, 'no');
    await expect(client.until('HAI')).rejects.toThrow('expected HAI; the connection ended with 1008 "no" after PING');
  });

  test('any text goes out, and what comes back as no envelope is kept apart', async () => {
    const { client, server } = peers();
    void client.sendText('not json');
    client.send({ type: 'PING' });
    await settle();
    expect([server.faults.length, server.received.length]).toEqual([1, 1]);
  });
});

test("the README's example: a server is talked to by hand", async () => {
  const server = {
    async accept(connection: Connection) {
      const self = rawPeer(connection);
      const hai = await self.expect('HAI');
      self.send({ type: 'HAI', session: 's-1', related_id: hai.id });
      await settle();
      for (const { code } of self.faults) self.send({ type: 'ERROR', payload: { code } });
    },
  };
  const transport = memoryTransport(server.accept);
  const peer = rawPeer(await transport.dial({}, new AbortController().signal));
  const hai = await peer.hai({ auth: { token: 'Bearer TOKEN' } });
  void peer.sendText('{not json');
  const error = await peer.expect('ERROR');
  transport.last.cut();
  expect([hai.session, error.payload, (await peer.closed).code]).toEqual(['s-1', { code: 'PROTOCOL_VIOLATION' }, 1006]);
});
