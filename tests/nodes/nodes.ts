// Nodes of one deployment in this process: servers with all three transports, over one store that they share.

import { createServer } from 'node:http';
import { memoryHistory } from '@haip/history-memory';
import type { HistoryStore, Signer, Tool } from '@haip/protocol';
import { HAIPServer, type HAIPServerOptions } from '@haip/server-core';
import { type SharedStore, sharedStore } from '@haip/testing';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { onTestFinished } from 'vitest';
import { type Listening, listening } from '../http/served.ts';

export interface Node extends Listening {
  readonly server: HAIPServer;
  readonly history: HistoryStore;
  /** Its machine is gone: its connections end, and nothing of it is heard any more. */
  die(): void;
  /** The other nodes hear nothing of it any more; its connections stay as they are. */
  hang(): void;
}

export interface Deployment {
  readonly store: SharedStore;
  /** The store itself. */
  readonly inner: HistoryStore;
  start(): Promise<Node>;
}

export interface DeploymentOptions {
  // biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
  readonly tools: readonly Tool<any>[];
  readonly limits?: HAIPServerOptions['limits'];
}

/** Good for nothing but a test: whoever knows the code can sign. */
const signer: Signer = {
  sign: (text) =>
    `mac-${Buffer.from(text).toString('base64url').length}-${Buffer.from(text).toString('hex').slice(-32)}`,
  verify: (text, mac) => signer.sign(text) === mac,
};

const permissions = { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'], RUN_CANCEL: ['*'] };

export function deployment({ tools, limits }: DeploymentOptions): Deployment {
  const inner = memoryHistory({ windowSize: 100_000 });
  const store = sharedStore(inner);
  return {
    store,
    inner,
    async start() {
      const history = store.node();
      const server = new HAIPServer({ history, signer, limits, logger: () => {} });
      server.authenticate((auth) =>
        typeof auth?.user === 'string' ? { id: auth.user, permissions, credits: 1 } : null,
      );
      for (const tool of tools) server.registerTool(tool);
      const http = createServer();
      let isAlive = true;
      const backplane: Pick<HistoryStore, 'notify' | 'listen'> = {
        notify: (topic, body) => (isAlive ? history.notify(topic, body) : undefined),
        listen: (topic, heard) => history.listen(topic, (body) => isAlive && heard(body)),
      };
      acceptWebSockets(http, server.accept);
      acceptServerSentEvents(http, server.accept, { backplane });
      acceptHttpStreams(http, server.accept, { backplane });
      const listens = await listening(http);
      const end = async (): Promise<void> => {
        await server.close();
        await listens.close();
      };
      onTestFinished(end);
      const hang = (): void => {
        isAlive = false;
      };
      const die = (): void => {
        hang();
        listens.cut();
        http.close();
      };
      return { ...listens, server, history, die, hang };
    },
  };
}
