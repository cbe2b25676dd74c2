import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HAIPServer } from '@haip/server-core';
import { expect, onTestFinished, test, vi } from 'vitest';
import { chat } from '../chat.ts';

interface Example {
  readonly http: Server;
  readonly haip: HAIPServer;
}

const examples: [framework: string, load: () => Promise<Example>][] = [
  ['Express', () => import('../express.ts')],
  ['Fastify', () => import('../fastify.ts')],
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
  expect(await chat(`ws://localhost:${port}/haip/websocket`, 'Hello')).toBe('Hello');
});
