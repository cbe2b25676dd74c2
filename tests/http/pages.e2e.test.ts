// Real pages in Chromium, on an origin that is not the server's: what listed ones can do, and others can not.

import { createServer } from 'node:http';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import type { Page } from 'playwright';
import { expect, onTestFinished, test } from 'vitest';
import { pages } from './pages.ts';
import { listening } from './served.ts';

const site = pages();

/** A server that lets in the pages at 127.0.0.1, and a page there or at localhost, which it does not know. */
async function setUp(host: '127.0.0.1' | 'localhost'): Promise<{ page: Page; origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server = new HAIPServer({ history: memoryHistory(), logger: () => {} });
  server.authenticate((auth, { transport }) => {
    asked.push(transport);
    return auth.token === 'Bearer TOKEN' ? { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 } : null;
  });
  server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
  const http = createServer();
  const origins = [`http://127.0.0.1:${site.port}`];
  acceptHttpStreams(http, server.accept, { origins });
  acceptServerSentEvents(http, server.accept, { origins });
  acceptWebSockets(http, server.accept, { origins });
  const { origin, close } = await listening(http);
  onTestFinished(async () => {
    await server.close();
    await close();
  });
  return { page: await site.open(host), origin, asked };
}

/** Says something in the page, over the transport; gives what comes back, or what became of the attempt. */
function chat(page: Page, factory: string, url: string, token = 'Bearer TOKEN'): Promise<string> {
  return page.evaluate(
    async ([name = '', address, secret]) => {
      // biome-ignore lint/suspicious/noExplicitAny: what the bundle put into the page
      const haip = (globalThis as any).haip;
      const client = new haip.HAIPClient({ transports: [haip[name]({ url: address })], logger: () => {} });
      client.authenticate(() => ({ token: secret }));
      const failed = new Promise<string>((resolve) => {
        client.on('state', (state: { name: string }) => state.name === 'waiting' && resolve('not connected'));
      });
      const talk = async (): Promise<string> => {
        await client.connect();
        const echo = await client.startTransaction('echo');
        await echo.sendText('Zoë, 東京');
        const { value } = await echo.messages().next();
        return value.text;
      };
      const outcome = await Promise.race([failed, talk().catch((error) => error.code)]);
      client.disconnect();
      return outcome;
    },
    [factory, url, token],
  );
}

const transports = [
  ['httpStream', '/haip/stream'],
  ['serverSentEvents', '/haip/sse'],
  ['webSocket', '/haip/websocket'],
] as const;

const addressOf = (origin: string, path: string): string =>
  `${path.endsWith('websocket') ? origin.replace('http', 'ws') : origin}${path}`;

test.each(transports)('A50: a page of a listed origin talks over %s', async (factory, path) => {
  const { page, origin } = await setUp('127.0.0.1');
  expect(await chat(page, factory, addressOf(origin, path))).toBe('Zoë, 東京');
  expect(await chat(page, factory, addressOf(origin, path), 'wrong')).toBe('AUTHENTICATION_FAILED');
});

test.each(transports)('A49, A50: a page of another origin gets nowhere over %s', async (factory, path) => {
  const { page, origin, asked } = await setUp('localhost');
  expect(await chat(page, factory, addressOf(origin, path))).toBe('not connected');
  expect(asked).toEqual([]);
});

test('A51: a form of another page opens nothing', async () => {
  const { page, origin, asked } = await setUp('localhost');
  const hai = { id: '1', transaction: null, session: '', seq: '1', ts: '0', channel: 'USER', type: 'HAI', payload: {} };
  const answered = page.waitForResponse((response) => response.url().endsWith('/haip/stream'));
  await page.evaluate(
    ([action = '', text = '']) => {
      const form = document.createElement('form');
      Object.assign(form, { action, method: 'POST', enctype: 'text/plain' });
      const field = document.createElement('input');
      Object.assign(field, { name: text.slice(0, -1), value: '}' });
      form.append(field);
      document.body.append(form);
      form.submit();
    },
    [`${origin}/haip/stream`, JSON.stringify(hai)],
  );
  expect((await answered).status()).toBe(403);
  expect(asked).toEqual([]);
});
