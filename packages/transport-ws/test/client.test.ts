// Our client in Node, against servers made of ws alone and of bytes.

import { createServer } from 'node:http';
import { type Connection, defaultCodecLimits, encode, Fault, type Received } from '@haip/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { webSocket } from '../src/client.ts';
import { envelope, frameOf, listening, sendUntilAsked, settle, take, takeAll, until } from './support.ts';

const never = new AbortController().signal;

/** A bare server of ws; `peers` has the sockets it accepted. */
async function bareServer(): Promise<{ url: string; peer: Promise<WebSocket>; headers: () => unknown }> {
  const http = createServer();
  const port = await listening(http);
  const wss = new WebSocketServer({ server: http });
  onTestFinished(() => void wss.close());
  let headers: unknown;
  const peer = new Promise<WebSocket>((resolve) => {
    wss.on('connection', (socket, request) => {
      headers = request.headers;
      resolve(socket);
    });
  });
  return { url: `ws://127.0.0.1:${port}/haip/websocket`, peer, headers: () => headers };
}

async function connected(): Promise<{ connection: Connection; peer: WebSocket }> {
  const { url, peer } = await bareServer();
  const connection = await webSocket({ url }).dial({}, never);
  return { connection, peer: await peer };
}

test('envelopes and bytes go both ways', async () => {
  const { connection, peer } = await connected();
  const kinds: string[] = [];
  const both = new Promise<void>((resolve) => {
    peer.on('message', (data, isBinary) => {
      kinds.push(isBinary ? 'binary' : 'text');
      if (kinds.length === 3) resolve();
      if (!isBinary) peer.send(String(data));
      else peer.send(data);
    });
  });
  connection.send(frameOf({ payload: 'é' }));
  connection.send(frameOf({ id: 'a1' }, new Uint8Array([1, 2, 3])));
  await both;
  expect(kinds).toEqual(['text', 'text', 'binary']);
  const [first, second] = (await take(connection, 2)) as Received[];
  expect(first).toMatchObject({
    envelope: { payload: 'é' },
    size: Buffer.byteLength(encode(envelope({ payload: 'é' }))),
  });
  expect([...(second?.bytes ?? [])]).toEqual([1, 2, 3]);
});

test('F2: whatever the order of messages, an envelope comes with exactly its bytes or as a fault that names it', async () => {
  const { connection, peer } = await connected();
  const text = (id: string, bin_len?: number) => peer.send(encode(envelope({ id, bin_len })));
  const bytes = (length: number) => peer.send(new Uint8Array(length));
  text('whole', 2);
  bytes(2);
  text('empty', 0);
  bytes(0);
  text('short', 3);
  bytes(2);
  text('overtaken', 1);
  text('plain');
  bytes(1);
  text('last');
  const came = await take(connection, 7);
  expect(
    came.map((item) => (item instanceof Fault ? [item.code, item.relatedId] : [item.envelope.id, item.bytes?.length])),
  ).toEqual([
    ['whole', 2],
    ['empty', 0],
    ['PROTOCOL_VIOLATION', 'short'],
    ['PROTOCOL_VIOLATION', 'overtaken'],
    ['plain', undefined],
    ['PROTOCOL_VIOLATION', undefined],
    ['last', undefined],
  ]);
});

test("a v1 server's numbers out of grammar are read as 0", async () => {
  const { connection, peer } = await connected();
  peer.send(encode(envelope({ seq: '1755187354681.5', ts: 'now' })));
  const [first] = (await take(connection, 1)) as Received[];
  expect(first?.envelope).toMatchObject({ seq: '0', ts: '0' });
});

test('headers and subprotocols go with the upgrade request', async () => {
  const { url, headers } = await bareServer();
  await webSocket({ url, headers: { 'x-trace': '7' }, protocols: ['haip'] }).dial({}, never);
  expect(headers()).toMatchObject({ 'x-trace': '7', 'sec-websocket-protocol': 'haip' });
});

test("the server's delay is read from the reason", async () => {
  const { connection, peer } = await connected();
  peer.close(1012, 'retry-after-ms=1500 restart');
  expect(await connection.closed).toEqual({ code: 1012, reason: 'restart', retryAfterMs: 1500 });
  expect(await takeAll(connection)).toEqual([]);
});

test('a close tells the server its code, and what comes after it is not taken', async () => {
  const { connection, peer } = await connected();
  const told = new Promise((resolve) => peer.on('close', (code, reason) => resolve([code, String(reason)])));
  connection.send(frameOf());
  connection.close(1003, 'odd');
  connection.close(1000);
  peer.send(encode(envelope()));
  expect(connection.send(frameOf())).toBeUndefined();
  expect(await told).toEqual([1003, 'odd']);
  expect(await connection.closed).toMatchObject({ code: 1003, reason: 'odd' });
  expect(await takeAll(connection)).toEqual([]);
});

test('F7: a cut link ends as 1006', async () => {
  const { connection, peer } = await connected();
  peer.terminate();
  expect(await connection.closed).toMatchObject({ code: 1006 });
});

test('close with 1006 cuts the link', async () => {
  const { connection, peer } = await connected();
  const code = new Promise((resolve) => peer.on('close', resolve));
  connection.close(1006);
  expect(await code).toBe(1006);
  expect((await connection.closed).code).toBe(1006);
});

test('a paused connection that is closed learns of its end from the server, and no timer is left', async () => {
  const { connection, peer } = await connected();
  for (let i = 0; i < 5; i++) peer.send(encode(envelope({ payload: 'x'.repeat(200_000) })));
  await until(() => connection.heard > 1);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  connection.close(1000);
  await connection.closed;
  expect(vi.getTimerCount()).toBe(0);
});

test('a server that never answers a close is left after 3 s', async () => {
  const { connection, peer } = await connected();
  peer.pause();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  connection.close(1000);
  vi.advanceTimersByTime(3000);
  expect((await connection.closed).code).toBe(1000);
});

test('A4: a message over every limit ends as 1009', async () => {
  const { url, peer } = await bareServer();
  const limits = { ...defaultCodecLimits, maxTextBytes: 200, maxBinaryBytes: 100 };
  const connection = await webSocket({ url }).dial({ limits }, never);
  (await peer).send('x'.repeat(201));
  expect((await connection.closed).code).toBe(1009);
});

test('A2: text that is not UTF-8 ends as 1007', async () => {
  const { connection, peer } = await connected();
  peer.send(Buffer.from([0xff]), { binary: false });
  expect((await connection.closed).code).toBe(1007);
});

test('a probe is answered by the server itself, and messages and pings are heard', async () => {
  const { connection, peer } = await connected();
  connection.probe();
  await until(() => connection.heard === 1);
  peer.ping();
  await until(() => connection.heard === 2);
  peer.send(encode(envelope()));
  await take(connection, 1);
  expect(connection.heard).toBe(3);
});

test('send asks to wait while the server does not read, and to go on when it does', async () => {
  const { connection, peer } = await connected();
  peer.pause();
  const waiting = sendUntilAsked(connection);
  expect(connection.send(frameOf())).toBe(waiting);
  peer.resume();
  await waiting;
});

test('a consumer that does not iterate makes the server wait, and loses nothing', async () => {
  const { connection, peer } = await connected();
  const payload = 'x'.repeat(100_000);
  for (let i = 0; i < 200; i++) peer.send(encode(envelope({ payload })));
  await settle();
  expect(connection.heard).toBeLessThan(20);
  expect(await take(connection, 200)).toHaveLength(200);
});

test('a dial that is refused says where, without the query', async () => {
  const http = createServer((_, response) => void response.end());
  const port = await listening(http);
  const url = `ws://127.0.0.1:${port}/nothing?token=secret`;
  const failed = await webSocket({ url })
    .dial({}, never)
    .catch((error: Error) => error);
  expect(failed).toBeInstanceOf(Error);
  expect((failed as Error).message).toMatch(new RegExp(`^No WebSocket at ws://127\\.0\\.0\\.1:${port}/nothing: .+`));
});

test('a url that is none rejects', async () => {
  await expect(webSocket({ url: 'nowhere' }).dial({}, never)).rejects.toThrow();
});

test('a dial given up rejects with the reason and leaves nothing open', async () => {
  const http = createServer();
  const port = await listening(http);
  const gone = new Promise<void>((resolve) => http.on('upgrade', (_, socket) => socket.resume().on('end', resolve)));
  const asked = new Promise<void>((resolve) => http.on('upgrade', () => resolve()));
  const control = new AbortController();
  const dialed = webSocket({ url: `ws://127.0.0.1:${port}/` }).dial({}, control.signal);
  await asked;
  control.abort(new Error('enough'));
  await expect(dialed).rejects.toThrow('enough');
  await gone;
  await expect(webSocket({ url: 'ws://127.0.0.1:1/' }).dial({}, control.signal)).rejects.toThrow('enough');
});
