// `pnpm bench:scaling`: what one node holds, and how its cost grows: with the connections that are open, the readers of one
// conversation, and the history behind it. Each figure is a server process of its own, or a store of its own.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { memoryHistory } from '@haip/history-memory';
import { sqliteHistory } from '@haip/history-sqlite';
import { bodyDigest, type Draft, type HistoryStore } from '@haip/protocol';
import { Contenders, readCollected } from './contenders.ts';

const { values: options } = parseArgs({
  options: {
    ms: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '100,1000,5000' },
    readers: { type: 'string', default: '1,10,100,1000' },
    entries: { type: 'string', default: '100,1000,10000,100000' },
  },
});
const measureMs = Number(options.ms);
const numbers = (list: string): number[] => list.split(',').map(Number);

const kB = (bytes: number): string => (bytes / 1000).toFixed(1);

async function tellConnections(): Promise<void> {
  console.log('\n| open | kB each, silent | kB each, in a conversation of two entries | kB each, of 100 entries |');
  console.log('|---|---|---|---|');
  for (const most of numbers(options.connections)) {
    const figures: string[] = [];
    for (const scenario of ['silent', 'talked-2', 'talked-100']) {
      const contenders = new Contenders();
      const server = await contenders.start('haip');
      const route = { transport: 'websocket', port: server.port, pipelined: false } as const;
      const { before, after, result } = await contenders.run(
        server,
        { scenario, route, measureMs, most },
        readCollected,
      );
      figures.push(kB((after.memoryBytes - before.memoryBytes) / result.units));
      contenders.endAll();
    }
    console.log(`| ${most} | ${figures.join(' | ')} |`);
  }
}

async function tellReaders(): Promise<void> {
  console.log('\n| readers | messages a second | deliveries a second | server CPU, µs a message | µs a delivery |');
  console.log('|---|---|---|---|---|');
  for (const most of numbers(options.readers)) {
    const contenders = new Contenders();
    const server = await contenders.start('haip');
    const route = { transport: 'websocket', port: server.port, pipelined: false } as const;
    const order = { scenario: 'fan-out', route, measureMs, most };
    await contenders.run(server, order);
    const { before, after, result } = await contenders.run(server, order);
    const cpu = after.cpuMicros - before.cpuMicros;
    const deliveries = (result.units / result.ms) * 1000;
    const each = [deliveries / most, deliveries, (cpu / result.units) * most, cpu / result.units];
    console.log(`| ${most} | ${each.map((figure) => figure.toFixed(figure < 100 ? 1 : 0)).join(' | ')} |`);
    contenders.endAll();
  }
}

function draft(): Draft {
  const payload =
    'A message of about as many characters as people write in a chat when they ask, so a hundred of them.';
  const digest = bodyDigest('MESSAGE', payload);
  const author = { user: 'ann', session: 'c9a5ee3c-19a1-43a4-a2b2-2b6dc6a01d3c' };
  return { id: randomUUID(), ...author, ts: Date.now(), channel: 'USER', type: 'MESSAGE', payload, size: 350, digest };
}

/** Microseconds of one call, over a while. */
async function microsOf(call: () => unknown): Promise<number> {
  let calls = 0;
  const begin = performance.now();
  while (performance.now() - begin < measureMs / 4) {
    await call();
    calls++;
  }
  return ((performance.now() - begin) * 1000) / calls;
}

/** The same of a log that has grown to each length. */
async function tellHistory(name: string, history: HistoryStore): Promise<void> {
  const transaction = randomUUID();
  const record = { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId: transaction, createdAt: 1 };
  await history.create(record, { ...draft(), type: 'TRANSACTION_START' });
  let length = 1;
  for (const entries of numbers(options.entries)) {
    for (; length < entries; length += 100) {
      await history.append(transaction, Array.from({ length: 100 }, draft));
    }
    const { last = 0 } = (await history.head(transaction)) ?? {};
    const figures = [
      await microsOf(() => history.read(transaction, { from: last + 1 })),
      await microsOf(() => history.read(transaction, { from: last - 20 })),
      await microsOf(() => history.read(transaction, { from: 1, maxEntries: 50 })),
      await microsOf(() => history.append(transaction, [draft()])),
    ];
    length = (await history.head(transaction))?.last ?? length;
    console.log(`| ${name} | ${entries} | ${figures.map((figure) => figure.toFixed(1)).join(' | ')} |`);
  }
  await history.close?.();
}

await tellConnections();
await tellReaders();
console.log(
  '\n| store | entries | look for more, µs | read the last 20, µs | read the first 50, µs | append one, µs |',
);
console.log('|---|---|---|---|---|---|');
const roomy = { windowSize: 1_000_000, maxBytes: 2 ** 30, windowTime: '24h' } as const;
await tellHistory('memory', memoryHistory(roomy));
const folder = mkdtempSync(join(tmpdir(), 'haip-scaling-'));
try {
  await tellHistory('SQLite', await sqliteHistory({ path: join(folder, 'history.db'), ...roomy }));
} finally {
  rmSync(folder, { recursive: true });
}
