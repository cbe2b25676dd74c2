import type { Outcome } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';

const nextPrefix = temporaryPrefixes();
const DRAFTS = 10_000;

test('F34: of 10,000 drafts that two stores append to one transaction at once each has its own position, without a hole', async () => {
  const options = { url: redisUrl, prefix: nextPrefix(), windowSize: 100_000, maxBytes: 2 ** 30, logger: () => {} };
  const stores = [await redisHistory(options), await redisHistory(options)];
  const [one, two] = stores;
  const record = recordOf('chat');
  await one?.create(record, startOf(record));

  const written = stores.map((_, i) =>
    Array.from({ length: DRAFTS / 2 }, (_, n) => draft({ user: `user-${i}`, payload: n })),
  );
  // Ten at a time and nothing waited for; a tenth of them is told to both, as by a client that moved.
  const outcomes: (Outcome | undefined)[][] = await Promise.all(
    written.map(async (drafts, i) => {
      const store = stores[i];
      const asked: unknown[] = [];
      for (let from = 0; from < drafts.length; from += 10) {
        asked.push(store?.append('chat', drafts.slice(from, from + 10)));
        const [twice] = drafts.slice(from, from + 1).map((it) => ({ ...it }));
        if (twice !== undefined) asked.push(stores[1 - i]?.append('chat', [twice]));
      }
      await Promise.all(asked);
      return drafts.map(({ outcome }) => outcome);
    }),
  );
  const positions = outcomes
    .flat()
    .map((outcome) => (outcome !== undefined && outcome.kind !== 'refused' ? outcome.position : 0));
  expect(positions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: DRAFTS }, (_, n) => n + 2));

  const read = async (store = one) =>
    (await store?.read('chat', { from: 2, maxEntries: DRAFTS, maxBytes: 1e9 }))?.entries;
  const entries = await read();
  expect(entries?.map(({ position }) => position)).toEqual(Array.from({ length: DRAFTS }, (_, n) => n + 2));
  expect(await read(two)).toEqual(entries);
  // As each issued them, but for those that the other one was quicker to store.
  for (const [i, drafts] of written.entries()) {
    const own = entries?.filter(({ user, payload }) => user === `user-${i}` && Number(payload) % 10 !== 0);
    expect(own?.map(({ id }) => id)).toEqual(drafts.filter((_, n) => n % 10 !== 0).map(({ id }) => id));
  }
  for (const store of stores) await store.close();
});
