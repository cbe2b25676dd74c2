// The transport as the published suite wants it: a server on a free port, and the means to cut and to refuse.

import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Connection } from '@haip/protocol';
import type { OpenTransport } from '@haip/testing';
import { webSocket } from '../src/client.ts';
import { acceptWebSockets } from '../src/server.ts';

export async function openTransport(): Promise<OpenTransport> {
  const http = createServer();
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const ready: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  const listener = acceptWebSockets(http, async (connection) => {
    const next = waiting.shift();
    if (next) next(connection);
    else ready.push(connection);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    transport: webSocket({ url: `ws://127.0.0.1:${port}/haip/websocket` }),
    accepted() {
      const first = ready.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => waiting.push(resolve));
    },
    cut,
    refuse: () => listener.close(),
    open: () => sockets.size,
    async close() {
      cut();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
