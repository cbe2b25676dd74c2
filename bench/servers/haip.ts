// The same services with the whole protocol on: log, order, acknowledgement, receipts, permissions, resume.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryHistory } from '@haip/history-memory';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { report } from './report.ts';
import { models, nextTurn } from './ticker.ts';

const server = new HAIPServer({ history: memoryHistory({ windowSize: 1000 }) });
const permissions = createPermissionMap({ MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] });
server.authenticate((auth) =>
  auth?.token === 'Bearer TOKEN' ? { id: String(auth.user ?? 'bench'), permissions, credits: 1000 } : null,
);

server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
server.registerTool({ name: 'room' });
for (const [name, model] of Object.entries(models)) {
  server.registerTool<string>({
    name,
    async onMessage(turn, count) {
      const message = await turn.stream();
      const ready = model();
      for (let left = Number(count); left > 0; ) {
        await nextTurn();
        for (let now = Math.min(ready(), left); now > 0; now--, left--) await message.write('token is');
      }
    },
  });
}

const http = createServer();
acceptWebSockets(http, server.accept, { path: '/' });
acceptServerSentEvents(http, server.accept);
acceptHttpStreams(http, server.accept);
http.listen(0, '127.0.0.1', () => report((http.address() as AddressInfo).port));
