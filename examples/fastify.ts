// HAIP beside a Fastify application: the HTTP server that Fastify made, one port.

import { memoryHistory } from '@haip/history-memory';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { fastify } from 'fastify';
import * as v from 'valibot';

const app = fastify();
app.get('/', async () => 'Hello from Fastify');

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

export const http = app.server;
acceptWebSockets(http, haip.accept);
acceptServerSentEvents(http, haip.accept);
acceptHttpStreams(http, haip.accept);
await app.listen({ port: Number(process.env['PORT'] ?? 3000) });
