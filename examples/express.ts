// HAIP beside an Express application: one HTTP server, one port.

import { createServer } from 'node:http';
import { memoryHistory } from '@haip/history-memory';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import express from 'express';
import * as v from 'valibot';

const app = express();
app.get('/', (_, response) => void response.send('Hello from Express'));

export const haip = new HAIPServer({ history: memoryHistory() });
haip.authenticate((auth) =>
  auth?.token === 'Bearer TOKEN'
    ? { id: 'user123', permissions: createPermissionMap({ MESSAGE: ['*'] }), credits: 1000 }
    : null,
);
haip.registerTool({
  name: 'echo',
  input: v.string(),
  async onMessage(turn, text) {
    await turn.reply(text);
  },
});

export const http = createServer(app);
acceptWebSockets(http, haip.accept);
acceptServerSentEvents(http, haip.accept);
acceptHttpStreams(http, haip.accept);
http.listen(Number(process.env['PORT'] ?? 3000));
