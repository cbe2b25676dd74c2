// A server in a process of its own, so that what an attack costs it can be measured. Told what to do over IPC: each
// request is answered once. Its time stands still unless it is told to move it.

import { startServer } from './real-pair.ts';

/** What it is told. */
export type Order =
  | { readonly what: 'memory' }
  | { readonly what: 'advance'; readonly ms: number }
  | { readonly what: 'count' };

/** What it answers, after a garbage collection where it tells of memory. */
export interface Report {
  /** Bytes of the process that are in memory. */
  readonly rss: number;
  /** The most that ever were. */
  readonly peakRss: number;
  /** Bytes that are in use, in the heap and outside. */
  readonly used: number;
  readonly connections: number;
  readonly transactions: number;
  /** How many connections ended with which code. */
  readonly ends: Readonly<Record<number, number>>;
}

const server = await startServer();

async function report(): Promise<Report> {
  // What a collection finds outside the heap is freed by a thread of its own, a while later.
  for (let times = 0; times < 4; times++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const ends: Record<number, number> = {};
  for (const { end } of server.accepted) if (end) ends[end.code] = (ends[end.code] ?? 0) + 1;
  return {
    rss,
    peakRss: process.resourceUsage().maxRSS * 1024,
    used: heapUsed + external,
    connections: server.server.connections,
    transactions: server.server.transactions,
    ends,
  };
}

process.on('message', async (order: Order) => {
  if (order.what === 'advance') await server.clock.advance(order.ms);
  process.send?.(await report());
});
process.once('disconnect', () => process.exit());
process.send?.(server.port);
