// The laws on durable stores, over stores that only pretend: one that goes on being there is sound, one that comes back
// with something missing is caught.
import type { HistoryStore } from '@haip/protocol';
import { historyStoreLaws, runHistoryLaw } from '@haip/testing';
import { expect, test } from 'vitest';
import { memoryHistory } from '../src/index.ts';

const laws = historyStoreLaws.filter(
  ({ needs }) =>
    needs?.({ durable: true, shared: false, clock: true }) && !needs({ durable: false, shared: false, clock: true }),
);

/** How many of the laws on durable stores do not hold. */
async function broken(reopen: (store: HistoryStore) => HistoryStore): Promise<number> {
  const results = await Promise.allSettled(
    laws.map((law) =>
      runHistoryLaw(law, { create: (options) => ({ ...memoryHistory(options), close: () => {} }), reopen }),
    ),
  );
  return results.filter(({ status }) => status === 'rejected').length;
}

test('nothing is wrong with a store that is as it was', async () => {
  expect(laws.length).toBeGreaterThan(4);
  expect(await broken((store) => store)).toBe(0);
});

test('a store that comes back empty breaks each of them', async () => {
  expect(await broken(() => memoryHistory())).toBe(laws.length);
});

test('a store that comes back with another epoch, or without its ids, is caught', async () => {
  const otherEpoch = (store: HistoryStore): HistoryStore => ({
    ...store,
    head: (transaction) => ({ ...(store.head(transaction) as object), epoch: 'another' }) as never,
  });
  const noIds = (store: HistoryStore): HistoryStore => ({ ...store, find: () => null });
  expect(await broken(otherEpoch)).toBe(1);
  expect(await broken(noIds)).toBe(1);
});
