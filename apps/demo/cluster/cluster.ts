// Two servers of the demo over one Redis, behind a proxy that sends every request to the other one. There is nothing
// else between them.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { listen } from '../server/listen.ts';
import type { TellEvent } from './event.ts';
import { NodeProcess } from './node-process.ts';
import { alternatingProxy } from './proxy.ts';

const names = ['node 1', 'node 2'] as const;
const redisPort = 6379;
const noModel = { OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined };

export interface ClusterOptions {
  /** Where Redis is: `redis://host:port`. */
  readonly redis: string;
  /** The proxy's port. Default 8080, or the next free one. */
  readonly port?: string | undefined;
  /** Whether the assistant is the model that the environment names, if it names one. Default false: the embedded one. */
  readonly mayUseModel?: boolean;
  /** Told each event. */
  readonly tell: TellEvent;
}

export interface Cluster {
  /** The proxy's address. */
  readonly url: string;
  readonly nodes: readonly NodeProcess[];
  close(): Promise<void>;
}

/** Whether something listens there. */
export function answers(redis: string): Promise<boolean> {
  const { hostname, port } = new URL(redis);
  const socket = connect(Number(port || redisPort), hostname);
  return new Promise((resolve) => {
    socket.setTimeout(1000, () => resolve(false));
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}

/** What a request is, in a word or two; undefined for the files of the page. */
function wordsFor({ method, url = '', headers }: IncomingMessage): string | undefined {
  const kind = /^\/haip\/(websocket|sse|stream)/.exec(url)?.[1];
  if (kind === undefined) return undefined;
  if (headers.upgrade) return 'a WebSocket';
  if (method === 'GET' || url === '/haip/stream') return kind === 'sse' ? 'an SSE stream' : 'an HTTP stream';
  return 'a POST';
}

/** Starts all of it. Rejects when a node does not start, with nothing left running. */
export async function startCluster({ redis, port, mayUseModel, tell }: ClusterOptions): Promise<Cluster> {
  // Whoever was let in by one node is known to the other by this key.
  const shared = { HAIP_REDIS_URL: redis, HAIP_KEY: randomBytes(32).toString('hex') };
  const env = { ...process.env, ...(mayUseModel ? {} : noModel), ...shared };
  const nodes = names.map((name) => new NodeProcess(name, env, tell));
  const proxy = alternatingProxy(nodes, ({ name }, request) => {
    const words = wordsFor(request);
    if (words !== undefined) tell({ about: name, kind: 'request', words });
  });
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    if (!proxy.listening) return;
    const closed = once(proxy, 'close');
    proxy.close();
    proxy.closeAllConnections();
    await closed;
  };
  try {
    // First what may be refused at once.
    await listen(proxy, 'localhost', port);
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  const url = `http://localhost:${(proxy.address() as AddressInfo).port}`;
  return { url, nodes, close };
}
