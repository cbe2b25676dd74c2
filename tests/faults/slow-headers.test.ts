import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { neighbourOf, realServer } from './in-test.ts';
import { openRaw, upgradeRequest } from './raw-socket.ts';

test('A25: 500 sockets whose upgrade headers come byte by byte are cut after their time; who is there talks on', async () => {
  const http = createServer({ connectionsCheckingInterval: 20 });
  const server = await realServer({ http, webSockets: { headersTimeoutMs: 300 } });
  const neighbour = await neighbourOf(server);
  const slow = await Promise.all(Array.from({ length: 500 }, () => openRaw(server.port, '')));
  let left = slow.length;
  const over = slow.map(({ closeCode }) => closeCode.then(() => left--));
  for (const byte of upgradeRequest.slice(0, -1)) {
    for (const { socket } of slow) if (socket.writable) socket.write(byte);
    await neighbour.say();
    if (left === 0) break;
  }
  await Promise.all(over);
  expect(server.accepted).toHaveLength(1);
  await neighbour.say();
  neighbour.expectWhole();
}, 20_000);
