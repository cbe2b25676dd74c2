// `pnpm bench:stores postgres`: a history store beside a bare loop over the same client, in one run, in turn, so that the
// machine's moods hit both. Each store is a file of stores/.

import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { message, recordOf, startOf, streamStart, streamToken } from './drafts.ts';
import type { OpenStore } from './opened-store.ts';
import { byTheClock, type Contender, closedLoop, type Figures, middleOf } from './timing.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '2000' },
    transactions: { type: 'string', default: '100' },
    streams: { type: 'string', default: '20' },
    entries: { type: 'string', default: '10000' },
  },
});
const [name = ''] = positionals;
const names = readdirSync(new URL('stores/', import.meta.url))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();
if (!names.includes(name)) throw new RangeError(`bench:stores: expected one of ${names.join(', ')}, got "${name}"`);
const { open } = (await import(`./stores/${name}.ts`)) as { open: OpenStore };
const [rounds, ms, kept] = [Number(options.rounds), Number(options.ms), Number(options.entries)];
const [crowd, streams] = [Number(options.transactions), Number(options.streams)];

/** A page of the replay, as a read brings when it is not said otherwise. */
const PAGE = 200;
/** As fast as a model streams: 50 tokens a second. */
const TOKEN_EVERY_MS = 20;

const { what, store, bare, engineMicros, storedBytes, end } = await open(Math.max(crowd, streams));
const chats = Array.from({ length: crowd }, (_, i) => `chat-${i}`);
const spoken = Array.from({ length: streams }, (_, i) => `spoken-${i}`);
for (const transaction of [...chats, ...spoken, 'long']) {
  const record = recordOf(transaction);
  await store.create(record, startOf(record));
}
for (const transaction of spoken) await store.append(transaction, [streamStart(transaction)]);

const table: Record<string, Record<string, number>> = {};

/** Ours and the bare one in turn; the first round of each only warms up. One work does so many units. */
async function compare(
  title: string,
  measure: (contender: Contender) => Promise<Figures>,
  ours: Contender['work'],
  theirs: Contender['work'],
  units = 1,
): Promise<void> {
  const contenders: [Contender, Figures[]][] = [
    [{ work: ours, engineMicros: () => engineMicros('store') }, []],
    [{ work: theirs, engineMicros: () => engineMicros('bare') }, []],
  ];
  for (let round = 0; round <= rounds; round++) {
    for (const [contender, figures] of contenders) {
      const measured = await measure(contender);
      if (round > 0) figures.push(measured);
    }
  }
  for (const [i, [, figures]] of contenders.entries()) {
    table[i === 0 ? title : `${title}, bare`] = middleOf(figures, units);
  }
}

const append = (worker: number): unknown => store.append(chats[worker] ?? '', [message()]);
const bareAppend = (worker: number): unknown => bare.append(worker, message());
await compare('appends, one alone', (contender) => closedLoop(contender, 1, ms), append, bareAppend);
const together = `appends, ${crowd} transactions at once`;
await compare(together, (contender) => closedLoop(contender, crowd, ms), append, bareAppend);

const say = (worker: number): unknown => {
  const transaction = spoken[worker] ?? '';
  return store.append(transaction, [streamToken(transaction)]);
};
await compare(
  `tokens, ${streams} streams of ${1000 / TOKEN_EVERY_MS} a second`,
  (contender) => byTheClock(contender, streams, ms, TOKEN_EVERY_MS),
  say,
  (worker) => bare.append(worker, streamToken(spoken[worker] ?? '')),
);

const before = await storedBytes();
for (let i = 0; i < kept; i += 500) {
  // Each with a text of its own, as when it came over a wire: else memory would hold one for all.
  const drafts = Array.from({ length: Math.min(500, kept - i) }, () => structuredClone(message()));
  await store.append('long', drafts);
}
const bytes = ((await storedBytes()) - before) / kept;
await bare.fill(Array.from({ length: kept }, message));

/** Reads page after page, and again from the first. */
function reader(read: (from: number) => number | Promise<number>): () => Promise<void> {
  let from = 1;
  return async () => {
    from = (await read(from)) < PAGE ? 1 : from + PAGE;
  };
}
const readPage = async (from: number): Promise<number> => (await store.read('long', { from }))?.entries.length ?? 0;
const alone = (contender: Contender): Promise<Figures> => closedLoop(contender, 1, ms);
await compare(`replayed entries, pages of ${PAGE}`, alone, reader(readPage), reader(bare.read), PAGE);

console.log(`${what}; Node ${process.version}, ${rounds} rounds of ${ms} ms in turn, the middle of them.`);
console.table(table);
console.log(`${bytes.toFixed(0)} bytes stored for each message of ${message().size} bytes.`);
await store.close();
await end();
