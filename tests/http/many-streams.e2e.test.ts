// Over HTTP/1.1 a browser has six connections to an origin, all tabs together, and a stream holds one of them.

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

/** A page and a server that lets it in, with what a client in the page is made of. */
async function setUp(): Promise<{ page: Page; origin: string }> {
  const server = new HAIPServer({ history: memoryHistory(), logger: () => {} });
  server.authenticate(() => ({ id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 }));
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
  return { page: await site.open('127.0.0.1'), origin };
}

/** Puts into the page what makes clients over a transport, and has them say something. */
function prepare(page: Page, factory: string, url: string): Promise<void> {
  return page.evaluate(
    ([name = '', address]) => {
      // biome-ignore lint/suspicious/noExplicitAny: what the bundle put into the page
      const haip = (globalThis as any).haip;
      const logged: unknown[] = [];
      const client = (connectTimeoutMs: number, ...more: unknown[]) => {
        const logger = (...line: unknown[]) => void logged.push(line);
        const transports = [haip[name]({ url: address }), ...more];
        const made = new haip.HAIPClient({ transports, logger, connectTimeoutMs });
        made.authenticate(() => ({ token: 'Bearer TOKEN' }));
        return made;
      };
      const echo = async (by: ReturnType<typeof client>) => {
        const chat = await by.startTransaction('echo');
        await chat.sendText('Hello');
        return (await chat.messages().next()).value.text;
      };
      Object.assign(globalThis, { client, echo, logged });
    },
    [factory, url],
  );
}

/** Runs this in the page: text, as it uses what `prepare` put there. */
const run = (page: Page, code: string): Promise<unknown> => page.evaluate(`(async () => { ${code} })()`);

const openFive = `five = Array.from({ length: 5 }, () => client(10_000));
  for (const each of five) await each.connect();`;
const fiveTalk = 'return Promise.all(five.map(echo));';
const five = Array(5).fill('Hello');
const warning = [
  'warn',
  'no answer',
  { streams: expect.any(Number), advice: expect.stringContaining('one client a page') },
];

test('F62: over SSE a sixth client does not open, the log says what to do, and the others go on', async () => {
  const { page, origin } = await setUp();
  await prepare(page, 'serverSentEvents', `${origin}/haip/sse`);
  await run(page, openFive);
  const logged = await run(
    page,
    `const sixth = client(500);
    sixth.connect().catch(() => {});
    await new Promise((resolve) => sixth.on('state', ({ name }) => name === 'waiting' && resolve()));
    sixth.disconnect();
    return logged;`,
  );
  expect(logged).toContainEqual(warning);
  expect(await run(page, fiveTalk)).toEqual(five);
});

test('F62: over streamed HTTP a sixth client leaves no connection for POSTs; the log says what to do, and without it the others go on', async () => {
  const { page, origin } = await setUp();
  await page.clock.install();
  await prepare(page, 'httpStream', `${origin}/haip/stream`);
  await run(page, openFive);
  await run(page, 'sixth = client(10_000); await sixth.connect(); echo(sixth).catch(() => {});');
  // A POST is given 20 s.
  const later = async (): Promise<unknown> => {
    await page.clock.fastForward(21_000);
    return run(page, 'return logged;');
  };
  await expect.poll(later).toContainEqual(warning);
  await run(page, 'sixth.disconnect();');
  await page.clock.fastForward(4_000);
  expect(await run(page, fiveTalk)).toEqual(five);
});

test('F62: a client that has a WebSocket to fall back to opens that beside five streams', async () => {
  const { page, origin } = await setUp();
  await prepare(page, 'serverSentEvents', `${origin}/haip/sse`);
  await run(page, openFive);
  const socket = JSON.stringify(`${origin.replace('http', 'ws')}/haip/websocket`);
  const said = await run(
    page,
    `const sixth = client(500, haip.webSocket({ url: ${socket} }));
    await sixth.connect();
    return echo(sixth);`,
  );
  expect(said).toBe('Hello');
  expect(await run(page, fiveTalk)).toEqual(five);
});
