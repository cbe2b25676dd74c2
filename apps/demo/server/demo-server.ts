// Joins the parts of the demo: the page, the HAIP server with its two tools, a history, three transports.

import { createServer, type Server } from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { systemClock } from '@haip/platform';
import type { Clock, HistoryStore, Logger, Signer } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { embeddedAssistant } from './assistant/embedded-assistant.ts';
import type { Knowledge } from './assistant/knowledge.ts';
import { type ModelSettings, modelAssistant } from './assistant/model-assistant.ts';
import { echo } from './echo.ts';
import { demoAuthenticator } from './identity.ts';
import { type FileTable, serveFiles, staticFile } from './static-files.ts';
import { type Tell, toldTool } from './told-tool.ts';

export interface DemoOptions {
  /** Where conversations are kept. Whoever gives it closes it. */
  readonly history: HistoryStore;
  /** Servers that share a history share its key. Left out: sessions end with the process. */
  readonly signer?: Signer | undefined;
  /** Told of each answer. */
  readonly tell?: Tell | undefined;
  readonly files: FileTable;
  readonly knowledge: Knowledge;
  /** Left out: the assistant is the embedded one. */
  readonly model?: ModelSettings | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
}

export interface Demo {
  /** Not listening yet. */
  readonly http: Server;
  /** Ends all connections so that clients would come back, and stops listening. */
  close(): Promise<void>;
  /** The same once the answers that are being written have ended, 10 s at most. */
  drain(): Promise<void>;
}

/** What the page wants to know of its server; public. */
function about(model: ModelSettings | undefined): Buffer {
  const assistant = model === undefined ? { kind: 'embedded' } : { kind: 'model', model: model.model ?? null };
  return Buffer.from(JSON.stringify({ assistant }));
}

export function createDemo(options: DemoOptions): Demo {
  const { history, signer, tell, files, knowledge, model, clock = systemClock, logger } = options;
  const limits = {
    // A quarter of the heap may wait for slow networks.
    maxUnsentBytes: Math.floor(getHeapStatistics().heap_size_limit / 4),
    // Whoever watches a server die wants to see another one go on.
    ...(history.supports.shared ? { leaseMs: 5_000 } : {}),
  };
  const haip = new HAIPServer({ history, signer, limits, logger });
  haip.authenticate(demoAuthenticator);
  const assistant = model === undefined ? embeddedAssistant(knowledge, clock) : modelAssistant(model, knowledge);
  for (const tool of [echo, assistant]) haip.registerTool(tell ? toldTool(tool, tell) : tool);

  const ours: FileTable = new Map([
    ['/about.json', staticFile('/about.json', about(model))],
    // For whatever watches the process: that it answers, and nothing else.
    ['/health', staticFile('/health.txt', Buffer.from('ok\n'))],
  ]);
  const http = createServer(serveFiles(new Map([...files, ...ours])));
  http.headersTimeout = 10_000;
  http.requestTimeout = 15_000;
  // Where several servers share a history, a POST may reach one that has not its stream.
  const shared = history.supports.shared ? { backplane: history } : {};
  acceptWebSockets(http, haip.accept);
  acceptServerSentEvents(http, haip.accept, shared);
  acceptHttpStreams(http, haip.accept, shared);

  /** Whoever comes meanwhile is told 503; those who are there may still say something. */
  async function end(ending: Promise<void>): Promise<void> {
    await ending;
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()));
    http.closeAllConnections();
    await stopped;
  }
  return { http, close: () => end(haip.close()), drain: () => end(haip.drain()) };
}
