// What careless code of an application does to a client: it is told, and everything else goes on.

import { memoryTransport } from '@haip/testing';
import { describe, expect, it, vi } from 'vitest';
import { HAIPClient } from '../src/index.ts';
import { setUp } from './scripted-server.ts';

describe('an authenticate that never answers', () => {
  const hang = () => new Promise<never>(() => {});

  it('makes connect reject after 30 s, and says so', async () => {
    const { client, clock, transport } = setUp();
    client.authenticate(hang);
    const failing = expect(client.connect()).rejects.toMatchObject({
      code: 'authenticate',
      message: 'authenticate gave nothing in time.',
    });
    await clock.advance(29_999);
    expect(client.state.name).toBe('connecting');
    await clock.advance(1);
    await failing;
    expect(client.state.name).toBe('disconnected');
    expect([transport.dials, clock.pending]).toEqual([0, 0]);
  });

  it('fails an attempt of one that was connected, for all its transports at once, and is asked again', async () => {
    const { clock, transport, nextPeer } = setUp();
    const other = memoryTransport(async () => {});
    const client = new HAIPClient({
      transports: [transport, other],
      clock,
      random: () => 0.5,
      authenticateTimeoutMs: 5_000,
    });
    const first = nextPeer();
    const connecting = client.connect();
    const peer = await first;
    await peer.welcome();
    await connecting;
    // It delivers: the answer to the client's doubt.
    peer.send({ type: 'PONG', related_id: (await peer.until('PING')).id });
    await clock.settle();
    let calls = 0;
    client.authenticate(() => (++calls === 1 ? hang() : { token: 'new' }));
    const next = nextPeer();
    transport.last.cut();
    await clock.advance(6_000);
    expect((await (await next).until('HAI')).payload.auth).toEqual({ token: 'new' });
    expect([transport.dials, other.dials]).toEqual([2, 0]);
    client.disconnect();
  });

  it('during a move holds up no reconnecting for longer', async () => {
    const { client, clock, transport, connected, nextPeer } = setUp();
    await connected();
    client.authenticate(hang);
    const other = memoryTransport(async () => {});
    const moving = expect(client.useTransport(other)).rejects.toMatchObject({ code: 'not_moved' });
    await clock.settle();
    client.authenticate(() => ({ token: 'new' }));
    const next = nextPeer();
    transport.last.cut();
    await clock.advance(10_200);
    await moving;
    await (await next).welcome();
    await clock.settle();
    expect(client.state.name).toBe('connected');
  });
});

it('a transport that throws at what it is to send costs its connection, and no message', async () => {
  const { client, clock, transport, started, reconnected } = setUp();
  const { peer, chat } = await started();
  const { send } = transport.last.client;
  transport.last.client.send = () => {
    throw new Error('out of order');
  };
  const sending = [chat.sendText('Hello'), chat.sendText('Goodbye')];
  const again = await reconnected();
  expect((await peer.raw.closed).code).toBe(1011);
  transport.last.client.send = send;
  await again.welcome();
  again.verdict({ verdict: 'resumed', epoch: 'E', seq: '1', last: '1' });
  again.receipt(await again.until('MESSAGE'), 2);
  again.receipt(await again.until('MESSAGE'), 3);
  expect(await Promise.all(sending)).toMatchObject([{ position: 2 }, { position: 3 }]);
  await clock.settle();
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
  client.disconnect();
  await clock.settle();
  expect(clock.pending).toBe(0);
});

it('a transport that throws at whatever it is told leaves its client able to connect again', async () => {
  const { client, clock, transport, connected, reconnected } = setUp();
  await connected();
  const broken = (): never => {
    throw new Error('out of order');
  };
  Object.assign(transport.last.client, { send: broken, close: broken });
  client.reconnectNow();
  const again = await reconnected();
  await again.welcome();
  await clock.settle();
  expect(client.state.name).toBe('connected');
  client.disconnect();
  await clock.settle();
  expect(clock.pending).toBe(0);
});

it.each([
  ['throws', () => void JSON.parse('no JSON')],
  ['rejects', async () => JSON.parse('no JSON')],
])('a logger that %s costs nobody anything', async (_, logger) => {
  const unhandled = vi.fn<() => void>();
  process.on('unhandledRejection', unhandled);
  const { client, clock, started } = setUp({ logger });
  const { peer, chat } = await started();
  chat.on('entry', () => {
    throw new Error('no listener should');
  });
  peer.entry(2);
  peer.entry(3);
  await clock.settle();
  await new Promise(setImmediate);
  process.off('unhandledRejection', unhandled);
  expect(chat.cursor.position).toBe(3);
  expect(client.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  expect(unhandled).not.toHaveBeenCalled();
});

it('a wake that throws makes connect reject with what it threw, each time, and leaves nothing begun', async () => {
  const wake = vi.fn(() => () => {});
  const { client, clock, transport, connected } = setUp({ wake });
  wake.mockImplementationOnce(() => {
    throw new Error('no wake');
  });
  await expect(client.connect()).rejects.toThrow('no wake');
  expect([transport.dials, clock.pending]).toEqual([0, 0]);
  await connected();
  expect(client.state.name).toBe('connected');
});

it.each([
  ['none', undefined],
  ['an empty list', []],
  ['one that is in no list', memoryTransport(async () => {})],
  ['a list with something else in it', [memoryTransport(async () => {}), undefined]],
  ['what should have been called', [memoryTransport]],
])('%s for transports is refused, with what to give', (_, transports) => {
  const options = { transports: transports as never };
  expect(() => new HAIPClient(options)).toThrow('transports: expected a list, say [webSocket({ url })]');
});

it.each([
  ['none', undefined],
  ['one in a list', [memoryTransport(async () => {})]],
])('%s to move to is refused, and the session goes on', async (_, transport) => {
  const { client, connected } = setUp();
  await connected();
  await expect(client.useTransport(transport as never)).rejects.toThrow('transport: expected one');
  expect(client.state.name).toBe('connected');
});

it.each([
  ['no position', {}],
  ['a position as the wire has it', { epoch: 'E', position: '5' }],
  ['a position that is no number', { epoch: 'E', position: Number.NaN }],
  ['a position below the log', { epoch: 'E', position: -1 }],
  ['no epoch', { position: 5 }],
])('a cursor with %s is refused before anything is asked for', async (_, cursor) => {
  const { client, connected } = setUp();
  const peer = await connected();
  const joining = client.joinTransaction('T', { cursor: cursor as never });
  await expect(joining).rejects.toThrow(TypeError);
  await expect(joining).rejects.toThrow('cursor: expected { epoch, position }');
  expect(peer.types).toEqual(['HAI']);
});

it.each([
  [0, undefined],
  [Number.NaN, undefined],
  [1.5, undefined],
  [1, -1],
  ['2' as never, undefined],
])('a replay from %s to %s is refused before anything is asked for', async (from, to) => {
  const { started } = setUp();
  const { peer, chat } = await started();
  const before = peer.types.length;
  await expect(chat.getReplayWindow(from, to).next()).rejects.toThrow('from, to: expected a position, 1 or more, got');
  expect(peer.types).toHaveLength(before);
});

describe('a message that is larger than the server takes', () => {
  const limits = { max_text_bytes: 1000, max_binary_bytes: 100 };
  const tooLarge = { name: 'RefusedError', code: 'MESSAGE_TOO_LARGE', expected: 'at most 1000 bytes' };

  /** A client of a server with these limits, and a transaction of which entry 1 was read. */
  async function bounded() {
    const all = setUp();
    const peer = await all.connected({ limits });
    const starting = all.client.startTransaction('echo');
    await peer.start();
    const chat = await starting;
    await all.clock.settle();
    return { ...all, peer, chat };
  }

  it('holds up nothing behind it, also when both were written while away', async () => {
    const { clock, transport, started, reconnected } = setUp();
    const { chat } = await started();
    transport.last.cut();
    await clock.settle();
    const large = expect(chat.sendText('x'.repeat(2000))).rejects.toMatchObject(tooLarge);
    const small = chat.sendText('small');
    const again = await reconnected();
    await again.welcome({ limits });
    await large;
    again.verdict({ verdict: 'resumed', epoch: 'E', seq: '1', last: '1' });
    again.receipt(await again.until('MESSAGE'), 2);
    expect(await small).toMatchObject({ position: 2 });
  });

  it('once the server waits for it, ends the connection: nothing else would be taken', async () => {
    const { client, clock, peer, chat, reconnected } = await bounded();
    const probing = chat.sendText('');
    const probe = await peer.until('MESSAGE');
    peer.receipt(probe, 2);
    await probing;
    // Its number grows by a digit until it goes again, and with it the text.
    const sending = chat.sendText('x'.repeat(limits.max_text_bytes - JSON.stringify(probe).length));
    const failing = expect(sending).rejects.toMatchObject({ code: 'unknown_outcome', cause: tooLarge });
    peer.error(await peer.until('MESSAGE'), { code: 'RATE_LIMITED', retry: true, retry_after_ms: 1000 });
    for (let used = 0; used < 10; used++) client.listTransactions().catch(() => {});
    await clock.advance(2_000);
    await failing;
    expect((await peer.raw.closed).code).toBe(1000);
    await (await reconnected()).welcome({ limits });
  });

  it('leaves no stream that says it is whole', async () => {
    const { client, peer, chat } = await bounded();
    const writer = chat.stream();
    peer.receipt(await peer.until('MESSAGE_START'), 2);
    const first = writer.write('a');
    peer.receipt(await peer.until('MESSAGE_PART'), 3);
    await first;
    await expect(writer.write('x'.repeat(2000))).rejects.toMatchObject(tooLarge);
    await expect(writer.write('b')).rejects.toMatchObject(tooLarge);
    const ending = expect(writer.end()).rejects.toMatchObject(tooLarge);
    const end = await peer.until('MESSAGE_END');
    expect(end.payload).toMatchObject({ status: 'interrupted' });
    peer.receipt(end, 4);
    await ending;
    expect(client.stats.connections).toBe(1);
  });
});
