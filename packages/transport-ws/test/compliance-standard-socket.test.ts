// The file that browsers load, over the WebSocket that Node has built in: the same standard, the same restrictions.

import { transportSuite } from '@haip/testing';
import { expect, test, vi } from 'vitest';
import { webSocket } from '../src/client.ts';
import { openTransport } from './open-transport.ts';
import { listen } from './support.ts';

vi.mock('#socket', () => import('../src/socket.browser.ts'));

transportSuite({
  name: "the platform's WebSocket",
  open: openTransport,
  supports: { pause: false, clientProbe: false },
});

test('a code that a page may not name is written as 1000, with its reason', async () => {
  const server = await listen();
  const client = await webSocket({ url: server.url }).dial({}, new AbortController().signal);
  const { connection } = await server.accepted();
  client.close(1002, 'odd');
  expect(await connection.closed).toEqual({ code: 1000, reason: 'odd' });
  expect(await client.closed).toEqual({ code: 1002, reason: 'odd' });
});

test('a long reason is cut to what a page may say', async () => {
  const server = await listen();
  const client = await webSocket({ url: server.url }).dial({}, new AbortController().signal);
  const { connection } = await server.accepted();
  client.close(1000, '語'.repeat(50));
  expect((await connection.closed).reason).toBe('語'.repeat(40));
});

test('it says that it can not pause', async () => {
  const server = await listen();
  const client = await webSocket({ url: server.url }).dial({}, new AbortController().signal);
  expect(client.supports).toEqual({ binary: true, pause: false });
});
