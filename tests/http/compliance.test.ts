// The published suite, unchanged, over both HTTP transports and both ways to serve them. A link over HTTP is open once
// its HAI was answered, so that has happened before a law gets its two ends.

import { createServer } from 'node:http';
import type { Connection } from '@haip/protocol';
import { type OpenTransport, transportSuite } from '@haip/testing';
import { afterFirst, greeting, hai } from './greeted.ts';
import { listening, type Way, ways } from './served.ts';

for (const way of ways) {
  transportSuite({ name: way.name, open: () => openTransport(way), supports: { binary: false } });
}

async function openTransport(way: Way): Promise<OpenTransport> {
  const http = createServer();
  const ready: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  let open = 0;
  way.mount(http, async (connection) => {
    open++;
    void connection.closed.then(() => open--);
    const greeted = await afterFirst(connection);
    if (!greeted) return;
    void connection.send(hai);
    const next = waiting.shift();
    if (next) next(greeted);
    else ready.push(greeted);
  });
  const { origin, cut, close } = await listening(http);
  return {
    transport: greeting(way.dialer(origin)),
    accepted() {
      const first = ready.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    cut,
    refuse: () => {
      http.close();
      http.closeIdleConnections();
    },
    open: () => open,
    close,
  };
}
