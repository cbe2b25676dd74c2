import { encode } from '@haip/protocol';
import { expect, test } from 'vitest';
import {
  dialWs,
  envelope,
  frameOf,
  listen,
  message,
  sendUntilAsked,
  settle,
  takeAll,
  until,
  upgradeRaw,
} from './support.ts';

const large = 'x'.repeat(100_000);

test('send asks to wait while the peer does not read, and to go on when it does', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  peer.socket.pause();
  const waiting = sendUntilAsked(connection);
  expect(connection.send(frameOf())).toBe(waiting);
  peer.socket.resume();
  await waiting;
  expect(connection.send(frameOf())).toBeUndefined();
});

test('send asks to wait in a later turn too', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  peer.socket.pause();
  let asked = false;
  for (let sent = 0; sent < 1000 && !asked; sent++) {
    asked = connection.send(frameOf({ payload: large.slice(50_000) })) !== undefined;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(asked).toBe(true);
});

test('F19: written rises within one large write, so that a slow peer is told from a stuck one', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  const bytes = new Uint8Array(64 * 1024 * 1024);
  peer.socket.pause();
  void connection.send(frameOf({ type: 'AUDIO' }, bytes));
  await settle();
  const { written = 0 } = connection;
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(bytes.length);
  let read = 0;
  peer.socket.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read > written + 1_000_000) peer.socket.pause();
  });
  peer.socket.resume();
  await until(() => (connection.written ?? 0) > written);
  expect(connection.written).toBeLessThan(bytes.length);
  connection.close(1006);
  await connection.closed;
  expect(connection.written).toBeGreaterThan(written);
});

test('who waits to send goes on when the link ends', async () => {
  const server = await listen();
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  peer.socket.pause();
  const waiting = sendUntilAsked(connection);
  connection.close(1006);
  await waiting;
  expect((await connection.closed).code).toBe(1006);
});

test('a consumer that does not iterate makes the peer wait, and loses nothing', async () => {
  const server = await listen({ readAheadBytes: 100_000 });
  const peer = await upgradeRaw(server);
  const { connection } = await server.accepted();
  const one = message('text', encode(envelope({ payload: large })));
  const count = 200;
  for (let i = 0; i < count; i++) peer.socket.write(one);
  await settle();
  expect(connection.heard).toBeLessThan(100_000 + 3 * 65_536 + one.length);
  let taken = 0;
  for await (const batch of connection) {
    taken += batch.length;
    if (taken === count) break;
  }
  expect(connection.heard).toBeGreaterThanOrEqual(count * one.length);
});

test('a paused connection that is closed still learns of its end', async () => {
  const server = await listen({ readAheadBytes: 1, closeTimeoutMs: 60_000 });
  const { client, connection } = await dialWs(server);
  const before = connection.heard;
  client.send(encode(envelope()));
  await until(() => connection.heard > before);
  connection.close(4409, 'superseded');
  expect(await new Promise((resolve) => client.on('close', resolve))).toBe(4409);
  expect((await connection.closed).code).toBe(4409);
  expect(await takeAll(connection)).toHaveLength(1);
});
