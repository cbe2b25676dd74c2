// HAIP in a Hono application: two routes of a function from Request to Response.

import { memoryHistory } from '@haip/history-memory';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { httpStreamHandler } from '@haip/transport-http/web';
import { serverSentEventsHandler } from '@haip/transport-sse/web';
import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { type Context, Hono } from 'hono';
import * as v from 'valibot';

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

const app = new Hono();
app.get('/', (context) => context.text('Hello from Hono'));

const streams = httpStreamHandler(haip.accept);
const events = serverSentEventsHandler(haip.accept);
const remoteAddress = (context: Context) => getConnInfo(context).remote.address;
app.all('/haip/stream/*', (context) => streams(context.req.raw, { remoteAddress: remoteAddress(context) }));
app.all('/haip/sse/*', (context) => events(context.req.raw, { remoteAddress: remoteAddress(context) }));

export const http = serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000) });
