// A server in a process of its own, to be killed: one tool that counts, over all three transports. Told by its arguments
// which store, where, and at which port; says when it listens.

import { createServer } from 'node:http';
import { createPermissionMap, HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { type AnyStoreName, anyStore } from '../durable-stores.ts';

const [store, place, port] = process.argv.slice(2) as [AnyStoreName, string, string];

// Where nodes share a store, the next one waits for the lease of the one before.
const server = new HAIPServer({ history: await anyStore[store].open(place), limits: { leaseMs: 500 } });
const permissions = createPermissionMap({ MESSAGE: ['*'] });
server.authenticate(({ user }) => ({ id: String(user), permissions, credits: 0 }));

/** Says the numbers from 1 on, a few at each turn of the event loop, as a model has its tokens. */
server.registerTool<string>({
  name: 'count',
  async onMessage(turn, text) {
    const message = await turn.stream();
    for (let number = 1; number <= Number(text); number++) {
      await message.write(`${number} `);
      if (number % 3 === 0) await new Promise(setImmediate);
    }
  },
});

const http = createServer();
acceptWebSockets(http, server.accept);
acceptServerSentEvents(http, server.accept);
acceptHttpStreams(http, server.accept);
http.listen(Number(port), '127.0.0.1', () => process.send?.('listening'));
process.once('disconnect', () => process.exit());
