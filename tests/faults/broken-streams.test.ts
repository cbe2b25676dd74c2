// What networks do to a link over HTTP: the stream and the POSTs are connections of their own, and each can break. Real
// sockets through the fault proxy, time held by the test.

import { fakeClock } from '@haip/testing';
import type { CutKind } from '@haip/testing/fault-proxy';
import { describe, expect, test } from 'vitest';
import { neighbourOf, proxyTo, realClient, realServer } from './in-test.ts';
import { exchange, expectWholeExchange, until, untilMessages, whileTimePasses } from './real-pair.ts';

describe.each(['sse', 'http'] as const)('over %s', (over) => {
  test.each([1, 2, 3, 7, 1000])('F8: an exchange in pieces of %i bytes is the exchange', async (sliceBytes) => {
    const server = await realServer();
    const neighbour = await neighbourOf(server);
    const proxy = await proxyTo(server, { faults: { up: { sliceBytes }, down: { sliceBytes } } });
    const { client } = realClient(proxy.port, { over });
    const connecting = client.connect();
    await neighbour.say();
    await connecting;
    expectWholeExchange(await exchange(client));
    expect(client.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
    await neighbour.say();
    neighbour.expectWhole();
  });

  test.each<CutKind>(['reset', 'fin', 'silent'])('F7: connections that end by %s come to the same', async (kind) => {
    const server = await realServer();
    const proxy = await proxyTo(server);
    const { client, clock } = realClient(proxy.port, { over });
    await client.connect();
    const exchanging = exchange(client);
    await until(() => proxy.links.some(({ bytes }) => bytes.down > 2000));
    for (const link of proxy.links) link.cut(kind);
    expectWholeExchange(await (kind === 'silent' ? whileTimePasses(clock, exchanging) : exchanging));
    expect(client.stats).toMatchObject({ duplicates: 0, faults: 0 });
    expect(client.stats.connections).toBeGreaterThan(1);
  });

  test('F13: pings keep the stream that is idle alive for a middlebox that gives up after 60 s; without them it is resumed', async () => {
    const clock = fakeClock();
    const server = await realServer({ clock, limits: { pingAfterMs: 600_000, deadAfterMs: 600_000 } });
    const proxy = await proxyTo(server, { clock, faults: { idleMs: 60_000 } });
    const { client } = realClient(proxy.port, { over, clock });
    await client.connect();
    const chat = await exchange(client);
    const [stream] = proxy.links;
    for (let ms = 0; ms < 300_000; ms += 5_000) {
      const before = stream?.bytes.down ?? 0;
      await clock.advance(5_000);
      // Every 20 s a PING goes up in a POST, and its PONG comes down the stream.
      if (ms % 20_000 === 15_000) await until(() => (stream?.bytes.down ?? 0) > before);
    }
    expect(client.stats.connections).toBe(1);

    const heartbeat = { pingAfterMs: 100_000, deadAfterMs: 10_000 };
    const quiet = realClient(proxy.port, { over, clock, user: 'quiet', heartbeat });
    await quiet.client.connect();
    const other = await exchange(quiet.client);
    for (let ms = 0; ms < 60_000; ms += 5_000) await clock.advance(5_000);
    await whileTimePasses(clock, other.sendText('c'));
    await untilMessages(other, 8);
    expect(quiet.client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
    expect(chat.conversation.messages).toHaveLength(6);
  });

  test('F16: from a new address the client is the same session, and its old stream is closed 4409', async () => {
    const server = await realServer();
    const proxy = await proxyTo(server);
    const { client, clock } = realClient(proxy.port, { over });
    await client.connect();
    const chat = await exchange(client);
    const before = client.state;
    proxy.impose({ sourceAddress: '127.0.0.2' });
    for (const link of proxy.links) link.cut('silent');
    await whileTimePasses(clock, chat.sendText('c'));
    await until(() => server.accepted[0]?.end !== undefined);
    expect(server.accepted.map(({ remoteAddress, end }) => [remoteAddress, end?.code])).toEqual([
      ['127.0.0.1', 4409],
      ['127.0.0.2', undefined],
    ]);
    expect(client.state).toEqual(before);
    expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
  });
});
