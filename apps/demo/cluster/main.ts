// The cluster in one terminal: a line for each event, a key for each node. Without a terminal it plays a round by itself
// and ends with 0 when nothing was lost or repeated. HAIP_REDIS_URL: the Redis. PORT: the proxy's port.

import { constants } from 'node:os';
import { styleText } from 'node:util';
import { answers, type Cluster, startCluster } from './cluster.ts';
import { type ClusterEvent, lineOf } from './event.ts';
import { playRound } from './round.ts';

const redis = process.env['HAIP_REDIS_URL'] || 'redis://127.0.0.1:6379';
const isInteractive = process.stdin.isTTY;

const warned = new Set<string>();

/** What both nodes warn of, or one at each start, is news only once. */
function tell(event: ClusterEvent): void {
  if (event.kind === 'warning' && warned.has(event.words)) return;
  if (event.kind === 'warning') warned.add(event.words);
  console.log(lineOf(event, new Date()));
}

const note = (words: string): void => tell({ about: 'proxy', kind: 'note', words });

/** What there is, and what to do with it. */
function greet({ url }: Cluster): void {
  const key = (name: string): string => styleText('bold', name);
  const soft = (words: string): string => styleText('gray', words);
  console.log(`
  ${key('HAIP on two servers')} ${soft('over one Redis, behind a proxy that gives each request to the other one')}

  ${styleText(['bold', 'underline'], url)}  ${soft('ask the assistant to “count to 150”, and kill who answers')}

  ${key('1')} ${key('2')}  ${soft('kill node 1 or 2, or start it again')}     ${key('q')}  ${soft('end')}
`);
}

/** What a key does: kills a node that runs, starts one that does not. */
async function press({ nodes }: Cluster, key: string): Promise<void> {
  const node = nodes[Number(key) - 1];
  if (!node) return;
  try {
    if (!node.isRunning) {
      tell({ about: node.name, kind: 'note', words: 'starts' });
      return await node.start();
    }
    await node.kill();
    note(`${key} starts ${node.name} again; what it was answering the other one closes in some 5 s`);
  } catch (error) {
    tell({ about: node.name, kind: 'dies', words: (error as Error).message });
  }
}

/** Resolves when somebody wants it to end. */
function keys(cluster: Cluster): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.setRawMode(true).setEncoding('utf8');
    process.stdin.on('data', (typed: string) => {
      // Of what was typed at once each is a key; a raw terminal sends Ctrl-C as one.
      for (const key of typed) {
        if (key === 'q' || key === '\u0003') resolve();
        else void press(cluster, key);
      }
    });
  });
}

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Resolves with the exit code of whoever was ended by a signal. */
function signalled(): Promise<number> {
  return new Promise((resolve) => {
    const end = (signal: Signal): void => resolve(128 + constants.signals[signal]);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  });
}

async function round(cluster: Cluster): Promise<number> {
  if (await playRound(cluster, note)) return 0;
  throw new Error('something was lost or came twice');
}

async function converse(cluster: Cluster): Promise<number> {
  greet(cluster);
  await keys(cluster);
  return 0;
}

/** Resolves with the exit code when it has ended. */
async function main(): Promise<number> {
  if (!URL.canParse(redis)) throw new Error('HAIP_REDIS_URL: expected redis://host:port, got something else');
  if (!(await answers(redis))) {
    // The address alone: there may be a password before it.
    throw new Error(`no Redis at ${new URL(redis).host}: start redis-server, or name another by HAIP_REDIS_URL`);
  }
  // No model counts to 300 as reliably as the embedded assistant.
  const mayUseModel = isInteractive;
  const cluster = await startCluster({ redis, port: process.env['PORT'] || undefined, mayUseModel, tell });
  try {
    return await Promise.race([signalled(), isInteractive ? converse(cluster) : round(cluster)]);
  } finally {
    if (isInteractive) process.stdin.setRawMode(false).pause();
    await cluster.close();
  }
}

try {
  // The clients of a round that was broken off would go on.
  process.exit(await main());
} catch (error) {
  console.error(`HAIP cluster: ${(error as Error).message}`);
  process.exit(1);
}
