// The servers that are fuzzed: the same one in memory and over WebSocket, there with its bytes cut anywhere.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryHistory } from '@haip/history-memory';
import { type Connection, defaultCodecLimits } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { fakeClock, memoryTransport } from '@haip/testing';
import { faultProxy } from '@haip/testing/fault-proxy';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { wire } from '../faults/real-pair.ts';

export interface FuzzedServer {
  dial(): Promise<Connection>;
  /** Everything that was logged, as text. */
  readonly logged: readonly string[];
  close(): Promise<void>;
}

function echoServer(): { server: HAIPServer; logged: string[] } {
  const clock = fakeClock();
  const logged: string[] = [];
  const server = new HAIPServer({
    history: memoryHistory({ clock }),
    clock,
    // Time stands still, so that the budget of a minute is spent soon: all the same many inputs share a connection.
    limits: { maxProtocolErrors: 20 },
    logger: (...line) =>
      void logged.push(line.map((part) => (part instanceof Error ? part.stack : JSON.stringify(part))).join(' ')),
  });
  server.authenticate(() => ({
    id: 'user',
    permissions: { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'], TOOL_CALL: ['*'], RUN_CANCEL: ['*'] },
    credits: 1e9,
  }));
  server.registerTool<string>({
    name: 'echo',
    onMessage: (turn, text) => turn.reply(text),
    onAudio: (turn, audio) => turn.replyAudio(audio),
  });
  return { server, logged };
}

export function serverInMemory(): FuzzedServer {
  const { server, logged } = echoServer();
  const transport = memoryTransport(server.accept, { serverLimits: defaultCodecLimits });
  const dial = () => transport.dial({}, new AbortController().signal);
  return { dial, logged, close: () => server.close() };
}

/** Its clients' bytes come in pieces of 100 to 999 bytes, another size for each connection. */
export async function serverOverWebSocket(): Promise<FuzzedServer> {
  const { server, logged } = echoServer();
  const http = createServer();
  acceptWebSockets(http, server.accept, { closeTimeoutMs: 20 });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const pieces = (link: number) => ({ up: { sliceBytes: 100 + ((link * 37) % 900) } });
  const proxy = await faultProxy({ target: (http.address() as AddressInfo).port, faults: pieces });
  return {
    dial: () => wire(proxy.port).dial({}, new AbortController().signal),
    logged,
    async close() {
      await server.close();
      await proxy.close();
      await new Promise((closed) => http.close(closed));
    },
  };
}
