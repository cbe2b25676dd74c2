// `pnpm bench:redis`: appends and replays of the store on Redis, beside a bare loop of XADD and XRANGE over the same
// driver, in turn in one run. Prints one table. Redis is at --url and is written to under a prefix that is deleted.

import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { redisHistory } from '@haip/history-redis';
import { bodyDigest, type Draft, type HistoryStore } from '@haip/protocol';
import { createClient } from '@redis/client';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'redis://127.0.0.1:6379' },
    ms: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
  },
});
const [ms, rounds] = [Number(options.ms), Number(options.rounds)];
const PAGES_OF = 200;
const REPLAYED = 2_000;
const TRANSACTIONS = 100;

/** What is written and read: one message after another, each transaction in its order. */
interface Contender {
  readonly name: string;
  open(transaction: string): Promise<void>;
  append(transaction: string): Promise<void>;
  /** Gives how many entries there were. */
  replay(transaction: string): Promise<number>;
}

const text =
  'A message of about as many characters as people write in a chat when they have a question to ask, so a hundred.';

function draft(user: string): Draft {
  const envelope = { id: randomUUID(), user, session: 'c9a5ee3c-19a1-43a4-a2b2-2b6dc6a01d3c', ts: Date.now() };
  const digest = bodyDigest('MESSAGE', text);
  return { ...envelope, channel: 'USER', type: 'MESSAGE', payload: text, size: 350, digest };
}

const client = createClient({ url: options.url, commandOptions: { timeout: 0 } });
await client.connect();
const prefix = `haip-bench-${randomUUID()}`;

function ours(history: HistoryStore): Contender {
  return {
    name: 'redisHistory',
    async open(transaction) {
      const record = { transaction, starter: 'ann', tool: 'echo', params: {}, referenceId: transaction, createdAt: 1 };
      await history.create(record, { ...draft('ann'), type: 'TRANSACTION_START' });
    },
    async append(transaction) {
      await history.append(transaction, [draft('ann')]);
    },
    async replay(transaction) {
      let count = 0;
      for (let from = 1; ; ) {
        const page = await history.read(transaction, { from, maxEntries: PAGES_OF });
        const last = page?.entries.at(-1);
        if (page == null || last === undefined) return count;
        count += page.entries.length;
        from = last.position + 1;
      }
    },
  };
}

function bare(): Contender {
  const positions = new Map<string, number>();
  const keyOf = (transaction: string): string => `${prefix}:bare:${transaction}`;
  const append = async (transaction: string): Promise<void> => {
    const position = (positions.get(transaction) ?? 0) + 1;
    positions.set(transaction, position);
    await client.sendCommand(['XADD', keyOf(transaction), `${position}-0`, 'b', JSON.stringify(draft('ann'))]);
  };
  return {
    name: 'XADD, XRANGE',
    open: append,
    append,
    async replay(transaction) {
      let count = 0;
      for (let from = 1; ; ) {
        const command = ['XRANGE', keyOf(transaction), `${from}-0`, '+', 'COUNT', String(PAGES_OF)];
        const page = (await client.sendCommand(command)) as unknown as [string, [string, string]][];
        if (page.length === 0) return count;
        for (const [, [, body]] of page) JSON.parse(body);
        count += page.length;
        from += page.length;
      }
    },
  };
}

interface Figures {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

function figuresOf(times: number[], took: number): Figures {
  const sorted = times.sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { rate: (sorted.length / took) * 1000, p50: at(0.5), p99: at(0.99) };
}

/** So many loops at once, each asking again when it was answered. */
async function loops(count: number, ask: (loop: number) => Promise<unknown>): Promise<Figures> {
  const times: number[] = [];
  const begin = performance.now();
  const loop = async (i: number): Promise<void> => {
    for (let now = performance.now(); now - begin < ms; ) {
      await ask(i);
      const after = performance.now();
      times.push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: count }, (_, i) => loop(i)));
  return figuresOf(times, performance.now() - begin);
}

async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
}

async function bytesPerMessage(contender: Contender): Promise<number> {
  const transactions = Array.from({ length: TRANSACTIONS }, () => randomUUID());
  const before = await usedMemory();
  for (const transaction of transactions) {
    await contender.open(transaction);
    await Promise.all(Array.from({ length: 499 }, () => contender.append(transaction)));
  }
  return ((await usedMemory()) - before) / (TRANSACTIONS * 500);
}

async function replayRate(contender: Contender): Promise<number> {
  const transaction = randomUUID();
  await contender.open(transaction);
  await Promise.all(Array.from({ length: REPLAYED - 1 }, () => contender.append(transaction)));
  const begin = performance.now();
  let entries = 0;
  while (performance.now() - begin < ms) entries += await contender.replay(transaction);
  return (entries / (performance.now() - begin)) * 1000;
}

async function round(contender: Contender): Promise<Record<string, Figures>> {
  const transactions = Array.from({ length: TRANSACTIONS }, () => randomUUID());
  for (const transaction of transactions) await contender.open(transaction);
  const [first = ''] = transactions;
  return {
    'one at a time': await loops(1, () => contender.append(first)),
    '100 transactions': await loops(TRANSACTIONS, (i) => contender.append(transactions[i] ?? '')),
    'one transaction, 100 in flight': await loops(100, () => contender.append(first)),
    replay: { rate: await replayRate(contender), p50: Number.NaN, p99: Number.NaN },
  };
}

const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const history = await redisHistory({
  url: options.url,
  prefix,
  windowSize: 1_000_000,
  maxBytes: 2 ** 30,
  windowTime: '24h',
  logger: () => {},
});
const contenders = [ours(history), bare()];
const results = new Map(contenders.map((contender) => [contender, [] as Record<string, Figures>[]]));
try {
  for (const contender of contenders) await round(contender);
  for (let i = 0; i < rounds; i++)
    for (const contender of contenders) results.get(contender)?.push(await round(contender));
  console.log('| | | a second | p50 ms | p99 ms |\n|---|---|---|---|---|');
  for (const [contender, all] of results) {
    for (const what of Object.keys(all[0] ?? {})) {
      const of = (pick: (figures: Figures) => number): number => middle(all.map((one) => pick(one[what] as Figures)));
      const [rate, p50, p99] = [of(({ rate }) => rate), of(({ p50 }) => p50), of(({ p99 }) => p99)];
      console.log(`| ${contender.name} | ${what} | ${Math.round(rate)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} |`);
    }
    console.log(`| ${contender.name} | bytes a message | ${Math.round(await bytesPerMessage(contender))} | | |`);
  }
} finally {
  await history.close();
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  client.destroy();
}
