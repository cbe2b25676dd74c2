// A server whose tool says its next part only when it is told to, clients of it, and the lines for nginx that
// docs/transports.md shows. What waits for what tells whether a stream is held back; nothing is measured by time.

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type ClientOptions, HAIPClient, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Accept, Connection, Transport } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { onTestFinished } from 'vitest';
import { type Listening, listening, type ServeOptions, ways } from '../http/served.ts';

export interface Row {
  readonly name: string;
  mount(http: Server, accept: Accept, options?: ServeOptions): void;
  dialer(origin: string, fetcher?: typeof fetch): Transport;
}

export const overWebSocket: Row = {
  name: 'WebSocket',
  mount: (http, accept) => void acceptWebSockets(http, accept),
  dialer: (origin) => webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket` }),
};
export const rows: readonly Row[] = [overWebSocket, ...ways];

const docs = readFileSync(new URL('../../docs/transports.md', import.meta.url), 'utf8');
/** The lines that users are shown. */
export const documented: string =
  /```nginx\n([\s\S]*?)```/.exec(docs)?.[1] ?? 'docs/transports.md shows no lines for nginx';
/** The least that is a proxy: nginx's defaults. */
export const bare = 'server { listen 80; location / { proxy_pass http://127.0.0.1:8080; } }';

export interface Scene extends Listening {
  /** Lets the tool say its next part. */
  next(): void;
  /** TCP connections that the server took, and requests on them. */
  readonly count: { connections: number; requests: number };
  /** The transport of each client that was let in, in order. */
  readonly cameOver: readonly string[];
}

export async function serve(served: readonly Row[], options: ServeOptions = {}): Promise<Scene> {
  const cameOver: string[] = [];
  const server = new HAIPServer({ history: memoryHistory(), logger: () => {} });
  server.authenticate((_, { transport }) => {
    cameOver.push(transport);
    return { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1e6 };
  });
  let go = Promise.withResolvers<void>();
  server.registerTool<string>({
    name: 'speller',
    async onMessage(turn, text) {
      const writer = await turn.stream();
      for (const letter of text) {
        await go.promise;
        go = Promise.withResolvers();
        await writer.write(letter);
      }
      await writer.end();
    },
  });
  const http = createServer();
  for (const row of served) row.mount(http, server.accept, options);
  const count = { connections: 0, requests: 0 };
  http.on('connection', () => count.connections++);
  // The transports take their requests before any listener.
  const { emit } = http;
  http.emit = (event: string, ...details: readonly unknown[]): boolean => {
    if (event === 'request') count.requests++;
    return Reflect.apply(emit, http, [event, ...details]);
  };
  const listener = await listening(http);
  onTestFinished(async () => {
    await server.close();
    await listener.close();
  });
  return { ...listener, next: () => go.resolve(), count, cameOver };
}

export function person(transports: readonly Transport[], options: Partial<ClientOptions> = {}): HAIPClient {
  const client = new HAIPClient({ transports, logger: () => {}, ...options });
  onTestFinished(() => client.disconnect());
  client.authenticate(() => ({ token: 'Bearer TOKEN' }));
  return client;
}

/** Resolves when there are so many messages, and the last one has come as far as this text. */
export function whenSaid(chat: Transaction, count: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { messages } = chat.conversation;
      if (messages.length === count && messages.at(-1)?.text === text) resolve();
    };
    chat.on('change', look);
    look();
  });
}

/** Says it; the tool spells it, no letter before the last one was seen here. */
export async function spell(chat: Transaction, { next }: Scene, text: string): Promise<void> {
  const before = chat.conversation.messages.length;
  await chat.sendText(text);
  for (let length = 1; length <= text.length; length++) {
    next();
    await whenSaid(chat, before + 2, text.slice(0, length));
  }
}

/** A transport, and the connection it made last. */
export function remembering({ name, dial }: Transport): { transport: Transport; last(): Connection } {
  const made: Connection[] = [];
  return {
    transport: {
      name,
      async dial(options, signal) {
        const connection = await dial(options, signal);
        made.push(connection);
        return connection;
      },
    },
    last: () => made.at(-1) as Connection,
  };
}
