// Many readers who read nothing: what waits for them fills the budget of the whole server, and newcomers are shed before
// that becomes a matter of life and death.

import { request } from 'node:http';
import { expect, test } from 'vitest';
import { proxyTo, realClient, realServer } from './in-test.ts';
import { until } from './real-pair.ts';

const MiB = 1024 * 1024;

/** What an upgrade is answered. */
function upgrade(port: number): Promise<{ status: number | undefined; retryAfter: string | undefined }> {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path: '/haip/websocket',
      headers: { ...headers, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    });
    asked.on('response', ({ statusCode, headers: answered }) => {
      resolve({ status: statusCode, retryAfter: answered['retry-after'] });
    });
    asked.on('upgrade', (_, socket) => {
      socket.destroy();
      resolve({ status: 101, retryAfter: undefined });
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('F37: a budget for all connections together sheds newcomers before they have a socket or a stream, and keeps who is there', async () => {
  const server = await realServer({ limits: { maxUnsentBytes: 4 * MiB } });
  const author = realClient(server.port, { user: 'author' });
  await author.client.connect();
  const chat = await author.client.startTransaction('flood');
  const proxy = await proxyTo(server);
  const windowBytes = 1024 * MiB;
  const paused = Array.from({ length: 10 }, (_, i) => realClient(proxy.port, { user: `reader${i}`, windowBytes }));
  for (const { client } of paused) {
    await client.connect();
    await client.joinTransaction(chat.id);
  }
  const isShedding = async (): Promise<boolean> => {
    await server.clock.advance(1_000);
    return server.server.accept.unavailable?.() !== undefined;
  };
  expect(await isShedding()).toBe(false);
  for (const link of proxy.links) link.stall('down');
  const last = 60;
  await chat.sendText(`${last} ${MiB}`);
  await until(() => chat.conversation.messages.at(-1)?.audio?.bytes?.[0] === last - 1);

  expect(await isShedding()).toBe(true);
  expect(await upgrade(server.port)).toEqual({ status: 503, retryAfter: '1' });
  const stream = await fetch(`http://127.0.0.1:${server.port}/haip/sse`);
  expect([stream.status, stream.headers.get('retry-after')]).toEqual([503, '1']);
  expect(server.server.connections).toBe(11);
  await chat.sendText('0 0');
  for (const link of proxy.links) link.resume('down');
  await until(async () => !(await isShedding()));
  expect((await upgrade(server.port)).status).toBe(101);
});
