// The published suite, unchanged, over both HTTP transports and both ways to serve them. A link over HTTP is open once
// its HAI was answered, so that has happened before a law gets its two ends.

import { createServer } from 'node:http';
import type { Connection, Frame, Transport } from '@haip/protocol';
import { type OpenTransport, transportSuite } from '@haip/testing';
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

/** It does not count, so that the laws may number as they like. */
const hai: Frame = {
  text: '{"id":"hai","transaction":null,"session":"s","seq":"0","ts":"0","channel":"USER","type":"HAI","payload":{}}',
  shared: false,
};

/** Says HAI and waits for the answer, as every client does. */
function greeting({ name, dial }: Transport): Transport {
  return {
    name,
    async dial(options, signal) {
      const connection = await dial(options, signal);
      const giveUp = () => connection.close(1006);
      signal.addEventListener('abort', giveUp);
      if (signal.aborted) giveUp();
      void connection.send(hai);
      const greeted = await afterFirst(connection);
      signal.removeEventListener('abort', giveUp);
      signal.throwIfAborted();
      if (!greeted) throw new Error((await connection.closed).reason);
      return greeted;
    },
  };
}

/** The connection behind its first message; undefined when it ended before. */
async function afterFirst(connection: Connection): Promise<Connection | undefined> {
  const batches = connection[Symbol.asyncIterator]();
  const first = await batches.next();
  if (first.done) return undefined;
  const rest = first.value.slice(1);
  return new Proxy(connection, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return () => behind(rest, batches);
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function* behind<Batch extends readonly unknown[]>(
  rest: Batch,
  batches: AsyncIterator<Batch>,
): AsyncGenerator<Batch> {
  if (rest.length > 0) yield rest;
  for (let next = await batches.next(); !next.done; next = await batches.next()) yield next.value;
}
