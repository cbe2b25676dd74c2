import { fakeClock, memoryTransport, plainV1Server } from '@haip/testing';
import { describe, expect, it } from 'vitest';
import { HAIPClient, plainV1 } from '../src/index.ts';
import { setUp as scripted } from './scripted-server.ts';

function setUp() {
  const clock = fakeClock();
  const server = plainV1Server({ clock });
  const transport = memoryTransport(server.accept, { clock });
  const client = new HAIPClient({ transports: [plainV1(transport)], clock, logger: () => {}, random: () => 0.5 });
  client.authenticate(() => ({ token: 'Bearer TOKEN' }));
  return { clock, server, transport, client };
}

describe('a plain v1 server', () => {
  it('is shaken hands with, starts echo, gives ten texts back, and lives through ten idle minutes [V1-5] [V1-6]', async () => {
    const { clock, server, transport, client } = setUp();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const loop = chat.messages();
    for (let i = 0; i < 10; i++) {
      const { id } = await chat.sendText(`text ${i}`);
      const { value } = await loop.next();
      expect(value).toMatchObject({ text: `text ${i}`, payload: `text ${i}`, channel: 'USER', id: `${id}:echo` });
    }
    await clock.advance(600_000);
    expect(client.state.name).toBe('connected');
    expect(transport.dials).toBe(1);
    const pongs = server.received.filter(({ type }) => type === 'PONG');
    expect(pongs.map(({ payload }) => payload.nonce)).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 1)));
    await chat.sendText('still here');
    expect((await loop.next()).value?.text).toBe('still here');
    const types = new Set(server.received.map(({ type }) => type));
    expect([...types].sort()).toEqual(['HAI', 'MESSAGE', 'PING', 'PONG', 'TRANSACTION_START']);
    client.disconnect();
    await clock.settle();
    expect(clock.pending).toBe(0);
  });

  it('shows own texts and their echoes, in order, and nothing stays pending', async () => {
    const { client } = setUp();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const sending = chat.sendText('Hello');
    expect(await sending).not.toHaveProperty('position');
    await chat.messages().next();
    expect(chat.pending).toEqual([]);
    expect(chat.conversation.messages.map(({ text, channel }) => [text, channel])).toEqual([
      ['Hello', 'USER'],
      ['Hello', 'USER'],
    ]);
    expect(chat.conversation.position).toBe(2);
  });

  it('refuses credentials with FAILED_AUTH: read as AUTHENTICATION_FAILED, and the client stays away [V1-8]', async () => {
    const { clock, transport, client } = setUp();
    client.authenticate(() => ({ token: 'wrong' }));
    await client.connect();
    await clock.advance(60_000);
    expect(client.state).toMatchObject({ name: 'disconnected', reason: { code: 'AUTHENTICATION_FAILED' } });
    expect(transport.dials).toBe(2);
  });

  it('refuses a tool it does not have', async () => {
    const { client } = setUp();
    await client.connect();
    await expect(client.startTransaction('nothing')).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
  });

  it('ends its transactions with its connection, and the application is told [V1-7]', async () => {
    const { clock, transport, client } = setUp();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const closed: unknown[] = [];
    chat.on('closed', (reason) => closed.push(reason));
    const loop = expect(chat.messages().next()).rejects.toBeInstanceOf(Error);
    transport.last.cut();
    await loop;
    expect(closed).toHaveLength(1);
    await expect(chat.sendText('late')).rejects.toMatchObject({ code: 'closed' });
    await clock.advance(5_000);
    expect(client.state.name).toBe('connected');
    const again = await client.startTransaction('echo');
    await again.sendText('Hello');
  });

  it('is not asked for what it does not know: join, list, replay, leave and end [V1-6]', async () => {
    const { server, client } = setUp();
    await client.connect();
    const chat = await client.startTransaction('echo');
    await expect(client.joinTransaction('T')).rejects.toMatchObject({ code: 'unsupported' });
    await expect(client.listTransactions()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(chat.getReplayWindow().next()).rejects.toMatchObject({ code: 'unsupported' });
    await chat.end();
    expect(chat.closed).toEqual({ reason: undefined });
    const other = await client.startTransaction('echo');
    await other.leave();
    const types = new Set(server.received.map(({ type }) => type));
    expect([...types].sort()).toEqual(['HAI', 'TRANSACTION_START']);
  });

  it('gets a stream as one message', async () => {
    const { server, client } = setUp();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const writer = chat.stream();
    await writer.write('Hel');
    await writer.write('lo');
    await writer.end();
    expect((await chat.messages().next()).value?.text).toBe('Hello');
    expect(server.received.at(-1)).toMatchObject({ type: 'MESSAGE', payload: 'Hello' });
  });

  it('is told from a log server by its HAI: without plainV1() the client says what is missing, and stays away', async () => {
    const { clock, transport } = setUp();
    const client = new HAIPClient({ transports: [transport], clock, logger: () => {} });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'VERSION_INCOMPATIBLE',
      expected: expect.stringContaining('plainV1()'),
    });
    expect(transport.dials).toBe(1);
  });

  it('plainV1() leaves a server that keeps a log alone', async () => {
    const { clock, accept, nextPeer } = scripted();
    const transport = plainV1(memoryTransport(accept, { clock }));
    const client = new HAIPClient({ transports: [transport], clock, logger: () => {} });
    const next = nextPeer();
    const connecting = client.connect();
    const peer = await next;
    await peer.welcome();
    await connecting;
    const starting = client.startTransaction('echo');
    await peer.start();
    const chat = await starting;
    const sending = chat.sendText('Hello');
    peer.receipt(await peer.until('MESSAGE'), 2);
    expect(await sending).toMatchObject({ position: 2 });
    expect(chat.cursor).toEqual({ epoch: 'E', position: 2 });
  });
});
