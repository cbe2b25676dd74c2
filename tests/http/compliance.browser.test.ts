// The published suite in Chromium, with both ends in the page: our clients on its `fetch` types, streams and signals,
// and the Request-to-Response handlers, which so show that they need nothing of Node.

import type { Accept, Connection, Transport } from '@haip/protocol';
import { type OpenTransport, transportSuite } from '@haip/testing';
import { httpStream } from '@haip/transport-http/client';
import { httpStreamHandler } from '@haip/transport-http/web';
import { serverSentEvents } from '@haip/transport-sse/client';
import { serverSentEventsHandler } from '@haip/transport-sse/web';
import { afterFirst, greeting, hai } from './greeted.ts';

type Answer = (request: Request) => Promise<Response>;

// The suite waits by turns of the event loop.
globalThis.setImmediate ??= ((job: () => void) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    job();
  };
  port2.postMessage(0);
}) as unknown as typeof setImmediate;

const ways: [name: string, serve: (accept: Accept) => Answer, dialer: (fetcher: typeof fetch) => Transport][] = [
  ['HTTP streaming', httpStreamHandler, (fetcher) => httpStream({ url: 'http://server/haip/stream', fetch: fetcher })],
  ['SSE', serverSentEventsHandler, (fetcher) => serverSentEvents({ url: 'http://server/haip/sse', fetch: fetcher })],
];

for (const [name, serve, dialer] of ways) {
  transportSuite({
    name: `${name} in a browser`,
    open: () => openTransport(serve, dialer),
    supports: { binary: false },
  });
}

function openTransport(serve: (accept: Accept) => Answer, dialer: (fetcher: typeof fetch) => Transport): OpenTransport {
  const ready: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  const requests = new Set<AbortController>();
  let open = 0;
  let isRefusing = false;
  const answer = serve(async (connection) => {
    open++;
    void connection.closed.then(() => open--);
    const greeted = await afterFirst(connection);
    if (!greeted) return;
    void connection.send(hai);
    const next = waiting.shift();
    if (next) next(greeted);
    else ready.push(greeted);
  });
  const fetcher: typeof fetch = async (url, init) => {
    if (isRefusing) throw new TypeError('nobody listens');
    const cable = new AbortController();
    requests.add(cable);
    const signal = AbortSignal.any([cable.signal, init?.signal ?? cable.signal]);
    const pulled = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    pulled.catch(() => {});
    signal.throwIfAborted();
    const { body, status, headers } = await Promise.race([answer(new Request(url, { ...init, signal })), pulled]);
    // A network between the two: what breaks it is seen at both ends.
    const through = body?.pipeThrough(new TransformStream<Uint8Array, Uint8Array>(), { signal });
    return new Response(through ?? null, { status, headers });
  };
  const cut = () => {
    for (const cable of requests) cable.abort(new TypeError('cut'));
  };
  return {
    transport: greeting(dialer(fetcher)),
    accepted() {
      const first = ready.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    cut,
    refuse: () => {
      isRefusing = true;
    },
    open: () => open,
    close: cut,
  };
}
