// The server's connection, told by peers made of bytes and by ws clients that are not ours.

import type { Socket } from 'node:net';
import { defaultCodecLimits, encode, Fault, type Received } from '@haip/protocol';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  dialRaw,
  dialWs,
  envelope,
  frameOf,
  listen,
  message,
  requestText,
  take,
  takeAll,
  until,
  upgradeLines,
  upgradeRaw,
} from './support.ts';

const text = (id: string) => message('text', encode(envelope({ id })));

test('messages that one read brought come as one batch', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  peer.socket.write(Buffer.concat([text('m1'), text('m2'), text('m3')]));
  const { value } = await connection[Symbol.asyncIterator]().next();
  expect(value.map(({ envelope: { id } }: Received) => id)).toEqual(['m1', 'm2', 'm3']);
});

test('what is pipelined behind the upgrade request is not lost', async () => {
  const server = await listen();
  const peer = dialRaw(server.port, requestText('/haip/websocket', upgradeLines));
  peer.socket.write(text('early'));
  const { connection } = await server.accepted();
  const [first] = await take(connection, 1);
  expect((first as Received).envelope.id).toBe('early');
});

test('[WS-7] is served at /haip/websocket, with or without a query; the acceptor learns headers and address', async () => {
  const server = await listen();
  dialRaw(server.port, requestText('/haip/websocket?v=1', [...upgradeLines, 'X-Trace: 7']));
  const { info } = await server.accepted();
  expect(info).toMatchObject({ transport: 'websocket', remoteAddress: '127.0.0.1' });
  expect(info.headers['x-trace']).toBe('7');
});

test('all frames of one turn leave in one write, in order, also those sent by continuations', async () => {
  const server = await listen();
  const sockets: Socket[] = [];
  server.http.on('connection', (socket: Socket) => sockets.push(socket));
  const { client, connection } = await dialWs(server);
  const write = vi.spyOn(sockets[0] as Socket, 'write');
  const ids: string[] = [];
  const all = new Promise<void>((resolve) => {
    client.on('message', (text) => {
      if (ids.push(JSON.parse(String(text)).id) === 4) resolve();
    });
  });
  connection.send(frameOf({ id: 'm1' }));
  connection.send(frameOf({ id: 'm2' }, undefined, true));
  await Promise.resolve();
  connection.send(frameOf({ id: 'm3' }));
  queueMicrotask(() => void connection.send(frameOf({ id: 'm4' })));
  await all;
  expect(ids).toEqual(['m1', 'm2', 'm3', 'm4']);
  expect(write).toHaveBeenCalledTimes(1);
});

test('a frame that many readers get is made into bytes once', async () => {
  const server = await listen();
  const sockets: Socket[] = [];
  server.http.on('connection', (socket: Socket) => sockets.push(socket));
  const readers = [await dialWs(server), await dialWs(server), await dialWs(server)];
  const written = sockets.map((socket) => vi.spyOn(socket, 'write'));
  const shared = frameOf({}, undefined, true);
  const came = readers.map(({ client }) => new Promise((resolve) => client.on('message', resolve)));
  for (const { connection } of readers) connection.send(shared);
  for (const message of came) expect(String(await message)).toBe(shared.text);
  expect(written[2]?.mock.calls[0]?.[0]).toBe(written[1]?.mock.calls[0]?.[0]);
});

test('bytes leave right behind their envelope', async () => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  const kinds: string[] = [];
  const both = new Promise<void>((resolve) => {
    client.on('message', (data, isBinary) => {
      kinds.push(isBinary ? `binary ${(data as Buffer).length}` : 'text');
      if (kinds.length === 4) resolve();
    });
  });
  connection.send(frameOf({ id: 'a1' }, new Uint8Array(70_000)));
  connection.send(frameOf({ id: 'a2' }, new Uint8Array(2)));
  await both;
  expect(kinds).toEqual(['text', 'binary 70000', 'text', 'binary 2']);
});

test('a probe is a ping, goes behind what was sent, and its answer is heard', async () => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  const order: string[] = [];
  client.on('message', () => order.push('message')).on('ping', () => order.push('ping'));
  const before = connection.heard;
  connection.send(frameOf());
  connection.probe();
  await until(() => connection.heard > before);
  expect(order).toEqual(['message', 'ping']);
});

test('a large message that is still on its way is heard', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  const before = connection.heard;
  peer.socket.write(message('binary', new Uint8Array(1000)).subarray(0, 500));
  await until(() => connection.heard > before);
});

test('a close goes behind what was sent and tells code, reason and delay', async () => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  const order: unknown[] = [];
  client.on('message', () => order.push('message'));
  const told = new Promise((resolve) => client.on('close', (code, reason) => resolve([code, String(reason)])));
  connection.send(frameOf());
  connection.close(1012, 'restart', 1500);
  connection.close(1000, 'the first one counts');
  connection.send(frameOf());
  expect(await told).toEqual([1012, 'retry-after-ms=1500 restart']);
  expect(order).toEqual(['message']);
  expect(await connection.closed).toEqual({ code: 1012, reason: 'restart', retryAfterMs: 1500 });
});

test("a peer's close ends the iteration after what came before, with the peer's code", async () => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  client.send(encode(envelope()));
  client.close(4000, 'done here');
  expect(await connection.closed).toEqual({ code: 4000, reason: 'done here' });
  expect(await takeAll(connection)).toHaveLength(1);
  expect(connection.send(frameOf())).toBeUndefined();
});

test('a peer that never answers a close is cut after the close timeout', async () => {
  const server = await listen({ closeTimeoutMs: 1 });
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  connection.close(1008, 'policy');
  await peer.ended;
  expect(await connection.closed).toMatchObject({ code: 1008, reason: 'policy' });
});

test.each(['reset', 'half'])('F7: a link cut by %s ends as 1006', async (how) => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  if (how === 'reset') peer.socket.resetAndDestroy();
  else peer.socket.end();
  expect(await connection.closed).toMatchObject({ code: 1006 });
  expect(await takeAll(connection)).toEqual([]);
});

test('close with 1006 cuts the link without a word', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  connection.close(1006);
  await peer.ended;
  expect(peer.received).toHaveLength(0);
  expect((await connection.closed).code).toBe(1006);
});

test('F2: a cut between an envelope and its bytes, or amid them, gives neither', async () => {
  const whole = Buffer.concat([
    message('text', encode(envelope({ bin_len: 4 }))),
    message('binary', new Uint8Array([1, 2, 3, 4])),
  ]);
  const server = await listen();
  for (let cut = 1; cut <= whole.length; cut++) {
    const peer = await upgradeRaw(server);
    const { connection } = await server.accepted();
    peer.socket.write(whole.subarray(0, cut));
    peer.socket.end();
    const taken = await takeAll(connection);
    expect(taken, `cut at ${cut}`).toHaveLength(cut === whole.length ? 1 : 0);
  }
});

test('F8: bytes that dribble in one by one are the same messages', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  const written = Buffer.concat([
    message('text', encode(envelope({ payload: 'süß 語 🙂' }))),
    message('text', encode(envelope({ id: 'a1', bin_len: 3 }))),
    message('binary', new Uint8Array([7, 8, 9])),
  ]);
  for (const byte of written) await new Promise((sent) => peer.socket.write(Uint8Array.of(byte), sent));
  const [first, second] = (await take(connection, 2)) as Received[];
  expect(first?.envelope.payload).toBe('süß 語 🙂');
  expect([...(second?.bytes ?? [])]).toEqual([7, 8, 9]);
});

test('F8: any split of the byte stream gives the same envelopes', async () => {
  const server = await listen();
  const item = fc.record({
    payload: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
    bytes: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (items, cuts) => {
        const written = Buffer.concat(
          items.flatMap(({ payload, bytes }) => {
            const first = message('text', encode(envelope({ payload, ...(bytes ? { bin_len: bytes.length } : {}) })));
            return bytes ? [first, message('binary', bytes)] : [first];
          }),
        );
        const peer = await upgradeRaw(server);
        const { connection } = await server.accepted();
        const places = [...new Set(cuts.map((cut) => cut % written.length))].sort((a, b) => a - b);
        for (const [index, place] of [0, ...places].entries()) {
          const piece = written.subarray(place, places[index] ?? written.length);
          await new Promise((sent) => peer.socket.write(piece, sent));
        }
        const taken = (await take(connection, items.length)) as Received[];
        expect(taken.map(({ envelope: { payload } }) => payload)).toEqual(items.map(({ payload }) => payload));
        expect(taken.map(({ bytes }) => bytes && [...bytes])).toEqual(items.map(({ bytes }) => bytes && [...bytes]));
        peer.socket.destroy();
      },
    ),
    { numRuns: 60 },
  );
});

test.each([
  ['a stray byte', [0xff]],
  ['an overlong form', [0xc0, 0xaf]],
  ['a cut sequence', [0xe2, 0x82]],
])('A2: text with %s is closed 1007', async (_, bytes) => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  client.send(Buffer.from(bytes), { binary: false });
  const code = await new Promise((resolve) => client.on('close', resolve));
  expect(code).toBe(1007);
  expect((await connection.closed).code).toBe(1007);
  expect(await takeAll(connection)).toEqual([]);
});

test('A4: a message over every limit is closed 1009 before the rest of it came', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  const size = defaultCodecLimits.maxBinaryBytes + 1;
  peer.socket.write(message('binary', new Uint8Array(size)).subarray(0, 100));
  expect((await connection.closed).code).toBe(1009);
  expect(peer.received.readUInt16BE(2)).toBe(1009);
});

test('A4: a text within the binary limit, but over that for text, is a fault that closes 1009', async () => {
  const limits = { ...defaultCodecLimits, maxTextBytes: encode(envelope()).length };
  const server = await listen({ limits });
  const { client, connection } = await dialWs(server);
  client.send(encode(envelope()));
  client.send(encode(envelope({ payload: 'Hello!' })));
  const [fits, over] = await take(connection, 2);
  expect(fits).not.toBeInstanceOf(Fault);
  expect(over).toMatchObject({ code: 'MESSAGE_TOO_LARGE', close: 1009 });
});

test('a frame of the wrong kind is closed 1002', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  peer.socket.write(Uint8Array.of(0x83, 0x80, 0, 0, 0, 0));
  expect((await connection.closed).code).toBe(1002);
});

test('A17: a binary message out of place shows as a fault, and the connection is still there to answer', async () => {
  const server = await listen();
  const { client, connection } = await dialWs(server);
  client.send(new Uint8Array(3));
  const [fault] = await take(connection, 1);
  expect(fault).toMatchObject({ code: 'PROTOCOL_VIOLATION', close: 1003 });
  connection.close(1003);
  expect(await new Promise((resolve) => client.on('close', resolve))).toBe(1003);
});

test('a frame that cannot be written closes its own connection 1011, and those beside it get theirs', async () => {
  const server = await listen();
  const [one, other] = [await dialWs(server), await dialWs(server)];
  const heard = new Promise<string>((resolve) => other.client.on('message', (data) => resolve(String(data))));
  const closed = new Promise((resolve) => one.client.on('close', resolve));
  // As of an application's own store: bytes that are none.
  one.connection.send(frameOf({}, {} as Uint8Array));
  other.connection.send(frameOf({ id: 'm2' }));

  expect(await heard).toContain('"m2"');
  expect(await closed).toBe(1011);
});

test('a compressed link is not offered', async () => {
  const server = await listen();
  const client = new WebSocket(server.url, { perMessageDeflate: true });
  await server.accepted();
  await new Promise((resolve) => client.on('open', resolve));
  expect(client.extensions).toBe('');
});
