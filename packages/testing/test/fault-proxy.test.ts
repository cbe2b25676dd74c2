// The proxy between two bare sockets: what it passes on, and what it does to it.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type FaultProxy, type FaultProxyOptions, faultProxy } from '../src/fault-proxy/index.ts';
import { fakeClock } from '../src/index.ts';

interface Peer {
  readonly socket: Socket;
  readonly text: string;
  /** Each piece as it was read. */
  readonly pieces: readonly string[];
  has(text: string): Promise<void>;
  readonly ended: Promise<'fin' | 'reset'>;
}

function peerOf(socket: Socket): Peer {
  const pieces: string[] = [];
  socket.setEncoding('latin1').setNoDelay();
  socket.on('data', (piece: string) => pieces.push(piece));
  const ended = new Promise<'fin' | 'reset'>((resolve) => {
    socket.on('end', () => resolve('fin')).on('error', () => resolve('reset'));
  });
  onTestFinished(() => void socket.destroy());
  const peer = {
    socket,
    pieces,
    ended,
    get text() {
      return pieces.join('');
    },
    async has(text: string) {
      while (!peer.text.endsWith(text)) await once(socket, 'data');
    },
  };
  return peer;
}

async function setUp(options: Partial<FaultProxyOptions> = {}) {
  const targets: Peer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => void targets.push(peerOf(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = await faultProxy({ target: (server.address() as AddressInfo).port, ...options });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  async function dial(): Promise<{ client: Peer; target: Peer }> {
    const client = peerOf(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    await once(server, 'connection');
    return { client, target: targets.at(-1) as Peer };
  }
  return { proxy, dial };
}

/** Lets the event loop turn often enough that whatever is on its way over loopback arrives. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('bytes pass both ways, in order, and so does the end of each direction', async () => {
  const { proxy, dial } = await setUp();
  const { client, target } = await dial();
  client.socket.write('Hello');
  client.socket.end(' there');
  await target.has('Hello there');
  expect(await target.ended).toBe('fin');
  target.socket.end('Yes');
  await client.has('Yes');
  await proxy.last.closed;
  expect(proxy.last.bytes).toEqual({ up: 11, down: 3 });
});

test('a reset by one end is a reset at the other', async () => {
  const { dial } = await setUp();
  const { client, target } = await dial();
  client.socket.resetAndDestroy();
  expect(await target.ended).toBe('reset');
});

test.each(['up', 'down'] as const)('a cut at a byte passes exactly the bytes before it: %s', async (direction) => {
  for (const cutBy of ['reset', 'fin'] as const) {
    const { proxy, dial } = await setUp({ faults: { [direction]: { cutAtByte: 4 }, cutBy } });
    const { client, target } = await dial();
    const [writer, reader] = direction === 'up' ? [client, target] : [target, client];
    writer.socket.write('12345678');
    expect(await reader.ended).toBe(cutBy);
    expect(await writer.ended).toBe(cutBy);
    expect(reader.text).toBe('1234');
    expect(proxy.last.bytes[direction]).toBe(4);
  }
});

test('a cut at byte 0 lets nothing through', async () => {
  const { proxy } = await setUp({ faults: (link) => (link === 0 ? { up: { cutAtByte: 0 } } : {}) });
  const client = peerOf(connect(proxy.port, '127.0.0.1'));
  client.socket.write('Hello');
  expect(await client.ended).toBe('reset');
  expect(proxy.last.bytes).toEqual({ up: 0, down: 0 });
});

test('a silent cut is learned by nobody, and nothing passes any more', async () => {
  const { proxy, dial } = await setUp({ faults: { up: { cutAtByte: 2 }, cutBy: 'silent' } });
  const { client, target } = await dial();
  client.socket.write('1234');
  await target.has('12');
  target.socket.write('lost');
  client.socket.end('lost');
  await quiet();
  expect([client.text, target.text]).toEqual(['', '12']);
  expect(proxy.last.bytes).toEqual({ up: 2, down: 0 });
});

test('a cut for one side leaves the other one half-open', async () => {
  const { proxy, dial } = await setUp();
  const { client, target } = await dial();
  let told = false;
  void target.ended.then(() => {
    told = true;
  });
  proxy.last.cut('fin', 'client');
  expect(await client.ended).toBe('fin');
  client.socket.destroy();
  target.socket.write('lost');
  await quiet();
  expect(told).toBe(false);
});

test('a muted direction is a black hole for bytes and for the end; the other one works', async () => {
  const { proxy, dial } = await setUp();
  const { client, target } = await dial();
  proxy.last.mute('down');
  target.socket.end('lost');
  client.socket.write('Hello');
  await target.has('Hello');
  await quiet();
  expect(client.text).toBe('');
});

test('a stalled direction makes its writer wait, and loses nothing', async () => {
  const { proxy, dial } = await setUp();
  const { client, target } = await dial();
  proxy.last.stall('up');
  const much = 'x'.repeat(32 * 1024 * 1024);
  client.socket.end(much);
  await quiet();
  expect(target.text).toBe('');
  expect(client.socket.writableLength).toBeGreaterThan(0);
  proxy.last.resume('up');
  expect(await target.ended).toBe('fin');
  expect(target.text.length).toBe(much.length);
});

test('sliced bytes come in pieces of that size', async () => {
  const { proxy, dial } = await setUp();
  const { client, target } = await dial();
  client.socket.write('>');
  await target.has('>');
  proxy.last.impose({ up: { sliceBytes: 2 } });
  client.socket.write('Hello');
  await target.has('Hello');
  expect(target.pieces).toEqual(['>', 'He', 'll', 'o']);
});

test('latency holds each byte for so long, by the given clock', async () => {
  const clock = fakeClock();
  const { dial } = await setUp({ clock, faults: { up: { latencyMs: 200 } } });
  const { client, target } = await dial();
  client.socket.write('Hello');
  while (clock.pending === 0) await quiet();
  await clock.advance(199);
  await quiet();
  expect(target.text).toBe('');
  await clock.advance(1);
  await target.has('Hello');
});

test('a narrow direction passes so many bytes a second, by the given clock', async () => {
  const clock = fakeClock();
  const { proxy, dial } = await setUp({ clock, faults: { down: { bytesPerSecond: 1000 } } });
  const { client, target } = await dial();
  target.socket.write('x'.repeat(3000));
  while (clock.pending === 0) await quiet();
  for (let ms = 0; ms < 1000; ms += 20) {
    await clock.advance(20);
    await quiet();
  }
  expect(client.text).toHaveLength(1000);
  proxy.last.impose({ down: { bytesPerSecond: undefined } });
  await clock.advance(20);
  await client.has('x'.repeat(3000));
});

test('an idle link is cut after its time, a busy one is not', async () => {
  const clock = fakeClock();
  const { proxy, dial } = await setUp({ clock, faults: { idleMs: 60_000, cutBy: 'fin' } });
  const { client, target } = await dial();
  await clock.advance(59_000);
  client.socket.write('still here');
  await target.has('still here');
  await clock.advance(59_000);
  expect(proxy.last.bytes.up).toBe(10);
  await clock.advance(1_000);
  expect(await client.ended).toBe('fin');
  client.socket.end();
  target.socket.end();
  await proxy.last.closed;
  expect(clock.pending).toBe(0);
});

test('a link may come from another address', async () => {
  const { proxy, dial } = await setUp();
  expect((await dial()).target.socket.remoteAddress).toBe('127.0.0.1');
  proxy.impose({ sourceAddress: '127.0.0.2' });
  expect((await dial()).target.socket.remoteAddress).toBe('127.0.0.2');
});

test('a target that does not listen is a reset', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const proxy = await faultProxy({ target: port });
  onTestFinished(() => proxy.close());
  expect(await peerOf(connect(proxy.port, '127.0.0.1')).ended).toBe('reset');
});

test('next gives each link once, also one that is yet to come; close leaves no socket', async () => {
  const { proxy, dial } = await setUp();
  expect(() => proxy.last).toThrow('nothing has connected yet');
  const first = proxy.next();
  await dial();
  await dial();
  expect(await first).toBe(proxy.links[0]);
  expect(await proxy.next()).toBe(proxy.links[1]);
  await proxy.close();
  await Promise.all(proxy.links.map(({ closed }) => closed));
});
