// A server on PostgreSQL in a process of its own, to be killed: where, and with which limits, its arguments say. Tells its
// port once it listens.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { postgresHistory } from '@haip/history-postgres';
import { hmacSigner } from '@haip/platform';
import { HAIPServer } from '@haip/server-core';
import { acceptWebSockets } from '@haip/transport-ws/server';

const [connectionString = '', schema = '', limits = '{}'] = process.argv.slice(2);
const server = new HAIPServer({
  history: postgresHistory({ connectionString, schema }),
  signer: hmacSigner('a key that both servers know, of thirty-two bytes'),
  limits: JSON.parse(limits),
  logger: () => {},
});
const permissions = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
server.authenticate((auth) => ({ id: auth.user, permissions, credits: 1e9 }));
server.registerTool<string>({
  name: 'counter',
  async onMessage(turn, text) {
    const answer = await turn.stream();
    for (let i = 1; i <= Number(text); i++) {
      await answer.write(`${i} `);
      await pause(1);
    }
  },
});
const http = createServer();
acceptWebSockets(http, server.accept, { path: '/haip/websocket' });
http.listen(0, '127.0.0.1');
await once(http, 'listening');
process.send?.((http.address() as AddressInfo).port);
