// `pnpm bench:stores postgres`: a history store beside a bare loop over its client that writes the same rows, in one run,
// in turn, so that the machine's moods hit both. Each store is a file of stores/.

import { parseArgs } from 'node:util';
import type { OpenStore } from './stores/contract.ts';
import { message, recordOf, startOf } from './stores/messages.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '2000' },
    transactions: { type: 'string', default: '100' },
    entries: { type: 'string', default: '10000' },
  },
});
const [name = 'sqlite'] = positionals;
const { open } = (await import(`./stores/${name}.ts`)) as { open: OpenStore };
const rounds = Number(options.rounds);
const measureMs = Number(options.ms);

interface Figures {
  readonly perSecond: number;
  /** In ms. */
  readonly p50: number;
  readonly p99: number;
  /** Of this process and of the engine, in microseconds for each: steadier than time on a machine that does other things. */
  readonly cpu: number;
  readonly engineCpu: number;
}

interface Contender {
  work(worker: number): Promise<unknown>;
  engineMicros(): Promise<number>;
}

/** Has so many do the same again and again for a while, each waiting for its answer. */
async function measure(workers: number, { work, engineMicros }: Contender): Promise<Figures> {
  const waits: number[] = [];
  const engineBefore = await engineMicros();
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const until = begun + measureMs;
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let before = performance.now(); before < until; ) {
        await work(worker);
        const now = performance.now();
        waits.push(now - before);
        before = now;
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpu = (user + system) / waits.length;
  const engineCpu = ((await engineMicros()) - engineBefore) / waits.length;
  waits.sort((a, b) => a - b);
  const share = (part: number): number => waits[Math.floor((waits.length - 1) * part)] ?? Number.NaN;
  return { perSecond: waits.length / seconds, p50: share(0.5), p99: share(0.99), cpu, engineCpu };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The middle of the rounds. */
function summarize(all: readonly Figures[]): Record<string, number> {
  const digits = (value: number): number => Number(value.toPrecision(3));
  return {
    'a second': digits(middle(all.map(({ perSecond }) => perSecond))),
    'p50, ms': digits(middle(all.map(({ p50 }) => p50))),
    'p99, ms': digits(middle(all.map(({ p99 }) => p99))),
    'CPU here, µs': digits(middle(all.map(({ cpu }) => cpu))),
    'CPU of the engine, µs': digits(middle(all.map(({ engineCpu }) => engineCpu))),
  };
}

const opened = await open();
const { store, bare } = opened;
const transactions = Array.from({ length: Number(options.transactions) }, (_, i) => `chat-${i}`);
for (const transaction of [...transactions, 'long']) {
  const record = recordOf(transaction);
  await store.create(record, startOf(record));
}

const append = (worker: number): Promise<unknown> =>
  Promise.resolve(store.append(transactions[worker] ?? '', [message()]));
const table: Record<string, Record<string, number>> = {};

/** Ours and the bare one in turn; the first round of each only warms up. One work does so many units. */
async function compare(
  title: string,
  workers: number,
  ours: Contender['work'],
  theirs: Contender['work'],
  units = 1,
): Promise<void> {
  const contenders: Contender[] = [
    { work: ours, engineMicros: opened.engineMicros },
    { work: theirs, engineMicros: opened.bareEngineMicros },
  ];
  const figures: Figures[][] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const { perSecond, cpu, engineCpu, ...waits } = await measure(workers, contender);
      const figure = { ...waits, perSecond: perSecond * units, cpu: cpu / units, engineCpu: engineCpu / units };
      if (round > 0) figures[i] = [...(figures[i] ?? []), figure];
    }
  }
  table[title] = summarize(figures[0] ?? []);
  table[`${title}, bare`] = summarize(figures[1] ?? []);
}

const crowd = transactions.length;
await compare('appends, one alone', 1, append, (worker) => bare.append(worker));
await compare(`appends, ${crowd} transactions at once`, crowd, append, (worker) => bare.append(worker));

const before = await opened.storedBytes();
const kept = Number(options.entries);
for (let i = 0; i < kept; i += 500) {
  await store.append(
    'long',
    Array.from({ length: Math.min(500, kept - i) }, () => message()),
  );
}
const after = await opened.storedBytes();

let from = 1;
const replay = async (): Promise<void> => {
  const page = await store.read('long', { from });
  from = page === null || page.entries.length < 200 ? 1 : from + 200;
};
let bareFrom = 1;
const bareReplay = async (): Promise<void> => {
  bareFrom = (await bare.read(bareFrom)) < 200 ? 1 : bareFrom + 200;
};
await compare('replayed entries, pages of 200', 1, replay, bareReplay, 200);

console.log(
  `${opened.what}; Node ${process.version}, ${rounds} rounds of ${measureMs} ms in turn, the middle of them.`,
);
console.table(table);
console.log(`${((after - before) / kept).toFixed(0)} bytes stored for each message of ${message().size} bytes.`);
await store.close();
await opened.end();
