// HAIP's own server, client, store and transports, as the simulator takes them.

import './virtual-timers.ts';

import { HAIPClient } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer, memoryLedger } from '@haip/server-core';
import type { HttpKind, SimulatedParts } from '@haip/testing/simulator';
import { httpStream } from '@haip/transport-http/client';
import { httpStreamHandler } from '@haip/transport-http/web';
import { serverSentEvents } from '@haip/transport-sse/client';
import { serverSentEventsHandler } from '@haip/transport-sse/web';

const sse: HttpKind = {
  name: 'sse',
  handler: (accept, limits, backplane) => serverSentEventsHandler(accept, { limits, backplane }),
  transport: ({ origin, fetch }) => serverSentEvents({ url: `${origin}/haip/sse`, fetch }),
};

const http: HttpKind = {
  name: 'http',
  handler: (accept, limits, backplane) => httpStreamHandler(accept, { limits, backplane }),
  transport: ({ origin, fetch }) => httpStream({ url: `${origin}/haip/stream`, fetch }),
};

export const parts: SimulatedParts = {
  server: (options) => new HAIPServer(options),
  client: (options) => new HAIPClient(options),
  store: (options) => memoryHistory(options),
  ledger: (options) => memoryLedger(options),
  http: [sse, http],
};
