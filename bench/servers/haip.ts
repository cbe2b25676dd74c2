// The same three services with the whole protocol on: log, order, acknowledgement, receipts, permissions, resume.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryHistory } from '@haip/history-memory';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { report } from './report.ts';
import { nextTurn } from './ticker.ts';

const server = new HAIPServer({ history: memoryHistory({ windowSize: 1000 }) });
const permissions = createPermissionMap({ MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] });
server.authenticate((auth) => (auth.token === 'Bearer TOKEN' ? { id: 'bench', permissions, credits: 1000 } : null));

server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
server.registerTool({ name: 'room' });
server.registerTool<string>({
  name: 'tokens',
  async onMessage(turn, count) {
    const message = await turn.stream();
    for (let left = Number(count); left > 0; left--) {
      await nextTurn();
      await message.write('token is');
    }
  },
});

const http = createServer();
acceptWebSockets(http, server.accept, { path: '/' });
http.listen(0, '127.0.0.1', () => report((http.address() as AddressInfo).port));
