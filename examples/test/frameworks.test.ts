import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HAIPServer } from '@haip/server-core';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { chat } from '../chat.ts';

interface Example {
  readonly http: Server;
  readonly haip: HAIPServer;
}

const examples: [framework: string, load: () => Promise<Example>][] = [
  ['Express', () => import('../express.ts')],
  ['Fastify', () => import('../fastify.ts')],
  ['Hono', () => import('../hono.ts') as Promise<Example>],
];

test.each(examples)('%s serves its own pages and a conversation on one port', async (framework, load) => {
  vi.stubEnv('PORT', '0');
  const { http, haip } = await load();
  if (!http.listening) await once(http, 'listening');
  onTestFinished(async () => {
    await haip.close();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  const page = await fetch(`http://localhost:${port}/`);
  expect(await page.text()).toBe(`Hello from ${framework}`);
  const origin = `http://localhost:${port}`;
  expect(await chat(httpStream({ url: `${origin}/haip/stream` }), 'Hello')).toBe('Hello');
  expect(await chat(serverSentEvents({ url: `${origin}/haip/sse` }), 'Hello')).toBe('Hello');
  // A Request becomes no WebSocket.
  if (framework === 'Hono') return;
  expect(await chat(webSocket({ url: `ws://localhost:${port}/haip/websocket` }), 'Hello')).toBe('Hello');
});
