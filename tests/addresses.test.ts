// Over real WebSockets: credentials in an address let nobody in, and are written nowhere.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HAIPClient, RefusedError } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer } from '@haip/server-core';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, test } from 'vitest';

test.each([
  ['the query', '?token=canary&auth=canary', undefined],
  ['the subprotocol', '', 'token.canary'],
])('A48: credentials in %s let nobody in, and no log line or authenticator sees them', async (_, query, protocols) => {
  const written: unknown[] = [];
  const asked: unknown[] = [];
  const logger = (...line: unknown[]): void => void written.push(line);
  const server = new HAIPServer({ history: memoryHistory(), logger });
  server.authenticate((auth, { transport }) => {
    asked.push({ auth, transport });
    return null;
  });
  const http = createServer();
  const sockets = acceptWebSockets(http, server.accept, { path: '/haip/websocket' });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;

  const url = `ws://127.0.0.1:${port}/haip/websocket${query}`;
  const client = new HAIPClient({ transports: [webSocket({ url, protocols })], logger });
  const outcome = await client.connect({ signal: AbortSignal.timeout(10_000) }).catch((error: unknown) => error);
  sockets.close();
  await server.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));

  expect(outcome).toBeInstanceOf(RefusedError);
  expect(outcome).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  expect(asked).not.toEqual([]);
  expect(JSON.stringify([asked, written])).not.toContain('canary');
});
