// Over real sockets: credentials in an address let nobody in, and neither they nor an upstream address is written
// anywhere.

import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { HAIPClient, RefusedError } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Transport } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { httpStream } from '@haip/transport-http/client';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { serverSentEvents } from '@haip/transport-sse/client';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, onTestFinished, test } from 'vitest';
import { listening } from './http/served.ts';

async function setUp(isWelcome: boolean) {
  const written: unknown[] = [];
  const asked: unknown[] = [];
  const logger = (...line: unknown[]): void => void written.push(line);
  const server = new HAIPServer({ history: memoryHistory(), logger });
  server.authenticate((auth, { transport }) => {
    asked.push({ auth, transport });
    return isWelcome ? { id: 'user123', permissions: {}, credits: 1 } : null;
  });
  const http = createServer();
  acceptWebSockets(http, server.accept);
  acceptServerSentEvents(http, server.accept);
  acceptHttpStreams(http, server.accept);
  const { origin, close } = await listening(http);
  onTestFinished(async () => {
    await server.close();
    await close();
  });
  const client = (transport: Transport) => new HAIPClient({ transports: [transport], logger });
  return { origin, written, asked, client };
}

const query = '?token=canary&auth=canary';

test.each<[string, (origin: string) => Transport]>([
  ['the query', (origin) => webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket${query}` })],
  [
    'the subprotocol',
    (origin) => webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket`, protocols: 'token.canary' }),
  ],
  ['the query of an event stream', (origin) => serverSentEvents({ url: `${origin}/haip/sse${query}` })],
  ['the query of an HTTP stream', (origin) => httpStream({ url: `${origin}/haip/stream${query}` })],
])('A48: credentials in %s let nobody in, and no log line or authenticator sees them', async (_, transport) => {
  const { origin, written, asked, client } = await setUp(false);
  const outcome = await client(transport(origin))
    .connect({ signal: AbortSignal.timeout(10_000) })
    .catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(RefusedError);
  expect(outcome).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  expect(asked).not.toEqual([]);
  expect(inspect([asked, written], { depth: 10 })).not.toContain('canary');
});

test.each([
  ['serverSentEvents', serverSentEvents, '/haip/sse'],
  ['httpStream', httpStream, '/haip/stream'],
])(
  'A44: the upstream address of %s is written in no log, also when the link breaks [POST-5]',
  async (_, make, path) => {
    const { origin, written, asked, client } = await setUp(true);
    const addresses: string[] = [];
    let isBroken = false;
    const spied: typeof fetch = (url, init) => {
      if (new URL(String(url)).pathname !== path) addresses.push(String(url));
      return isBroken ? Promise.reject(new TypeError(`fetch of ${url} failed`)) : fetch(url, init);
    };
    const one = client(make({ url: `${origin}${path}`, fetch: spied }));
    await one.connect();
    const asks = one.startTransaction('echo', { signal: AbortSignal.timeout(500) }).catch((error: unknown) => error);
    await expect.poll(() => addresses.length).toBeGreaterThan(0);
    isBroken = true;
    const outcome = await asks;
    one.disconnect();
    const secret = addresses[0]?.slice(`${origin}${path}/`.length) ?? '';
    expect(secret).toMatch(/^[\w-]{32}$/);
    expect(asked).toHaveLength(1);
    expect(inspect([written, one.state, outcome], { depth: 10 })).not.toContain(secret);
  },
);
