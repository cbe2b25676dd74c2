// Nodes of one deployment in this process: servers with all three transports, over one store that they share.

import { createServer } from 'node:http';
import { memoryHistory } from '@haip/history-memory';
import type { Entry, HistoryStore, Signer, Tool } from '@haip/protocol';
import { HAIPServer, type HAIPServerOptions } from '@haip/server-core';
import { sharedStore } from '@haip/testing';
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

/** Opens a node's way to the store that all share. */
export type Shared = () => HistoryStore | Promise<HistoryStore>;

export interface Deployment {
  /** All that is kept of a transaction. */
  entriesOf(transaction: string): Promise<readonly Entry[]>;
  start(): Promise<Node>;
}

export interface DeploymentOptions {
  // biome-ignore lint/suspicious/noExplicitAny: each tool has an input type of its own
  readonly tools: readonly Tool<any>[];
  readonly limits?: HAIPServerOptions['limits'];
  /** Default: a store in memory that all nodes share. */
  readonly shared?: Shared | undefined;
}

/** Good for nothing but a test: whoever knows the code can sign. */
const signer: Signer = {
  sign: (text) =>
    `mac-${Buffer.from(text).toString('base64url').length}-${Buffer.from(text).toString('hex').slice(-32)}`,
  verify: (text, mac) => signer.sign(text) === mac,
};

const permissions = { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'], RUN_CANCEL: ['*'] };

/** A store in memory, as each of several nodes has it. */
function inMemory(): Shared {
  const store = sharedStore(memoryHistory({ windowSize: 100_000 }));
  return () => store.node();
}

export function deployment({ tools, limits, shared = inMemory() }: DeploymentOptions): Deployment {
  return {
    async entriesOf(transaction) {
      const history = await shared();
      const entries: Entry[] = [];
      for (let page = await history.read(transaction, { from: 1 }); page?.entries.length; ) {
        entries.push(...page.entries);
        page = await history.read(transaction, { from: (entries.at(-1)?.position ?? 0) + 1 });
      }
      await history.close?.();
      return entries;
    },
    async start() {
      const history = await shared();
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
        await history.close?.();
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
