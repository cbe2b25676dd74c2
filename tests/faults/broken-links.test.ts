// What networks do to a link, and what a conversation makes of it: real sockets through the fault proxy. Time is held by
// the test where somebody waits for it; what is on a socket is waited for as such.

import type { Connection, Transport } from '@haip/protocol';
import { fakeClock, rawPeer } from '@haip/testing';
import type { CutKind } from '@haip/testing/fault-proxy';
import { expect, test } from 'vitest';
import { neighbourOf, proxyTo, realClient, realServer } from './in-test.ts';
import { exchange, expectWholeExchange, until, untilMessages, wire } from './real-pair.ts';

const silenceMs = 30_000;

test('F5: when the peer has vanished both sides notice within ping and time-out, and the conversation goes on', async () => {
  const server = await realServer();
  const neighbour = await neighbourOf(server);
  const proxy = await proxyTo(server);
  const { client, clock } = realClient(proxy.port);
  await client.connect();
  const chat = await exchange(client);
  const before = client.state;
  proxy.last.cut('silent');
  // The server looks every 5 s, so that a peer seems younger by as much.
  for (let ms = 0; ms < silenceMs + 5_000; ms += 5_000) {
    await neighbour.say();
    await server.clock.advance(5_000);
    await neighbour.say();
  }
  await until(() => server.accepted[1]?.end !== undefined);
  expect(server.accepted[1]?.end?.code).toBe(1001);
  await until(() => server.server.connections === 1);
  const sending = chat.sendText('c');
  expect(client.state).toBe(before);
  await clock.advance(silenceMs);
  await sending;
  await untilMessages(chat, 8);
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
  expect(client.state).toEqual(before);
  expect(chat.conversation.messages.slice(6).map(({ text }) => text)).toEqual(['c', 'c']);
  neighbour.expectWhole();
});

test('F6: when only the way down is dead the client finds out, and the server closes its old socket as superseded', async () => {
  const server = await realServer();
  const neighbour = await neighbourOf(server);
  const proxy = await proxyTo(server);
  const { client, clock } = realClient(proxy.port);
  await client.connect();
  const chat = await client.startTransaction('echo');
  proxy.last.mute('down');
  const sending = chat.sendText('stored, but who knows');
  await until(() => proxy.last.bytes.up > 0 && server.server.transactions === 2);
  await neighbour.say();
  await clock.advance(silenceMs);
  await sending;
  await untilMessages(chat, 2);
  await until(() => server.accepted[1]?.end !== undefined);
  // The client hung up towards the black hole, which passes that on; whichever comes first ends the old socket.
  expect([4409, 1001]).toContain(server.accepted[1]?.end?.code);
  expect(chat.conversation.messages.map(({ text }) => text)).toEqual(Array(2).fill('stored, but who knows'));
  neighbour.expectWhole();
});

test.each<CutKind>(['reset', 'fin', 'silent'])('F7: a link that ends by %s comes to the same', async (kind) => {
  const server = await realServer();
  const proxy = await proxyTo(server);
  const { client, clock } = realClient(proxy.port);
  await client.connect();
  const exchanging = exchange(client);
  await until(() => proxy.last.bytes.down > 2000);
  proxy.last.cut(kind);
  if (kind === 'silent') await clock.advance(silenceMs);
  expectWholeExchange(await exchanging);
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
});

test.each([1, 2, 3, 7, 1000])('F8: an exchange in pieces of %i bytes is the exchange', async (sliceBytes) => {
  const server = await realServer();
  const neighbour = await neighbourOf(server);
  const proxy = await proxyTo(server, { faults: { up: { sliceBytes }, down: { sliceBytes } } });
  const { client } = realClient(proxy.port);
  const connecting = client.connect();
  await neighbour.say();
  await connecting;
  expectWholeExchange(await exchange(client));
  expect(client.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  await neighbour.say();
  neighbour.expectWhole();
});

test('F4: a replay that is cut again and again gives every stored entry once, in order', async () => {
  const server = await realServer();
  const neighbour = await neighbourOf(server);
  for (let i = 0; i < 250; i++) await neighbour.say();
  const proxy = await proxyTo(server);
  const { client } = realClient(proxy.port, { user: 'neighbour' });
  await client.connect();
  const chat = await client.joinTransaction(neighbour.chat.id);
  await untilMessages(chat, 500);
  const { cursor } = chat;
  // Each page is more than 20 kB: the first connections do not bring one home.
  proxy.impose((link) => (link < 4 ? { down: { cutAtByte: 8_000 * link } } : {}));
  const positions: number[] = [];
  const replay = chat.getReplayWindow();
  const first = await replay.next();
  if (first.value) positions.push(first.value.position);
  proxy.last.impose({ down: { cutAtByte: proxy.last.bytes.down + 5_000 } });
  for await (const { position } of replay) positions.push(position);
  expect(positions).toEqual(Array.from({ length: 501 }, (_, i) => i + 1));
  expect(chat.cursor).toEqual(cursor);
  expect(client.stats).toMatchObject({ duplicates: 0, faults: 0 });
  expect(client.stats.connections).toBeGreaterThan(3);
  neighbour.expectWhole();
});

test('F13: pings keep a link that is idle alive for a middlebox that gives up after 60 s; without them it is resumed', async () => {
  const clock = fakeClock();
  const server = await realServer({ clock, limits: { pingAfterMs: 600_000, deadAfterMs: 600_000 } });
  const proxy = await proxyTo(server, { clock, faults: { idleMs: 60_000, cutBy: 'silent' } });
  const { client } = realClient(proxy.port, { clock });
  await client.connect();
  const chat = await exchange(client);
  for (let ms = 0; ms < 300_000; ms += 5_000) {
    const { up, down } = proxy.last.bytes;
    await clock.advance(5_000);
    // Every 20 s there is a PING, and its PONG: wait until both have passed.
    if (ms % 20_000 === 15_000) await until(() => proxy.last.bytes.up > up && proxy.last.bytes.down > down);
  }
  expect(client.stats.connections).toBe(1);

  const quiet = realClient(proxy.port, {
    clock,
    user: 'quiet',
    heartbeat: { pingAfterMs: 100_000, deadAfterMs: 10_000 },
  });
  await quiet.client.connect();
  const other = await exchange(quiet.client);
  const link = proxy.last;
  for (let ms = 0; ms < 110_000; ms += 5_000) await clock.advance(5_000);
  await untilMessages(other, 6);
  const sending = other.sendText('c');
  await clock.advance(1_000);
  await sending;
  expect(proxy.last).not.toBe(link);
  expect(quiet.client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
  expect(chat.conversation.messages).toHaveLength(6);
});

test('F16: from a new address the client is the same session, and its old socket is closed 4409', async () => {
  const server = await realServer();
  const proxy = await proxyTo(server);
  const { client, clock } = realClient(proxy.port);
  await client.connect();
  const chat = await exchange(client);
  const before = client.state;
  proxy.impose({ sourceAddress: '127.0.0.2' });
  proxy.last.cut('silent');
  await clock.advance(silenceMs);
  await chat.sendText('c');
  await until(() => server.accepted[0]?.end !== undefined);
  expect(server.accepted.map(({ remoteAddress, end }) => [remoteAddress, end?.code])).toEqual([
    ['127.0.0.1', 4409],
    ['127.0.0.2', undefined],
  ]);
  expect(client.state).toEqual(before);
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
});

test('F18: of two connections of one session the newer one stays; the older is closed 4409 and does not come back', async () => {
  const server = await realServer();
  const hais: { payload: { resume_token?: string; attempt: string } }[] = [];
  const port = server.port;
  const overheard: Transport = {
    name: 'overheard',
    async dial(options, signal): Promise<Connection> {
      const connection = await wire(port).dial(options, signal);
      const send = connection.send.bind(connection);
      connection.send = (frame) => {
        if (frame.text.includes('"HAI"')) hais.push(JSON.parse(frame.text));
        return send(frame);
      };
      return connection;
    },
  };
  const proxy = await proxyTo(server);
  const { client } = realClient(proxy.port, { transports: [wire(proxy.port), overheard] });
  await client.connect();
  const chat = await exchange(client);
  // The second connection goes another way, on which its token is overheard.
  proxy.impose({ up: { cutAtByte: 0 } });
  proxy.last.cut('reset');
  await chat.sendText('c');
  const token = hais.at(-1)?.payload.resume_token;
  expect(token).toBeTypeOf('string');
  const over = new Promise((resolve) => client.on('state', ({ name }) => name === 'disconnected' && resolve(name)));
  const newer = rawPeer(await wire(port).dial({}, new AbortController().signal));
  const hai = await newer.hai({ auth: { user: 'user' }, resume_token: token, attempt: '1000' });
  await over;
  expect(client.state).toMatchObject({ name: 'disconnected', reason: { closeCode: 4409 } });
  expect(hai.session).not.toBe('');
  const accepted = server.accepted.length;
  await until(() => server.server.connections === 1);
  newer.send({ type: 'PING' });
  await newer.until('PONG');
  expect(server.accepted).toHaveLength(accepted);
});

test('F19: over 8 kB a second a backlog of a megabyte is read in order, pings get through, and live follows', async () => {
  const clock = fakeClock();
  const server = await realServer({ clock });
  const neighbour = await neighbourOf(server);
  const author = realClient(server.port, { user: 'author' });
  await author.client.connect();
  const chat = await author.client.startTransaction('silent');
  const text = 'x'.repeat(16_000);
  for (let i = 0; i < 64; i++) await chat.sendText(`${i} ${text}`);
  const proxy = await proxyTo(server, { clock, faults: { down: { bytesPerSecond: 8_000 } } });
  const slow = realClient(proxy.port, { user: 'slow', clock });
  let isOver = false;
  const reading = (async () => {
    await slow.client.connect();
    const same = await slow.client.joinTransaction(chat.id);
    await untilMessages(same, 66);
    isOver = true;
    return same;
  })();
  const begun = clock.monotonic();
  for (let step = 0; !isOver; step++) {
    await clock.advance(20);
    if (step === 2_000) await chat.sendText('live one');
    if (step === 4_000) await chat.sendText('live two');
    if (step % 500 === 0) await neighbour.say();
  }
  const same = await reading;
  expect(clock.monotonic() - begun).toBeGreaterThan(120_000);
  expect(same.conversation.messages.map(({ text }) => text)).toEqual(
    chat.conversation.messages.map(({ text }) => text),
  );
  expect(slow.client.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  neighbour.expectWhole();
}, 60_000);
