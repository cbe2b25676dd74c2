import type { HistoryStore } from '@haip/protocol';
import { historyStoreLaws, runHistoryLaw, type StoreOptions } from '@haip/testing';
import { expect, test } from 'vitest';
import { memoryHistory } from '../src/index.ts';
import { breaks, brokenStore } from './broken-stores.ts';

/** The first law that does not hold; undefined when all do. */
async function firstBroken(create: (options: StoreOptions) => HistoryStore): Promise<string | undefined> {
  const supports = { durable: false, shared: false, clock: true };
  for (const law of historyStoreLaws.filter(({ needs }) => needs?.(supports) ?? true)) {
    const holds = await runHistoryLaw(law, { create }).then(
      () => true,
      () => false,
    );
    if (!holds) return law.name;
  }
  return undefined;
}

test('the suite for stores finds nothing wrong with a sound one', async () => {
  expect(await firstBroken(memoryHistory)).toBeUndefined();
});

test.each(Object.entries(breaks))('the suite for stores catches one that %s', async (_, fault) => {
  expect(await firstBroken((options) => brokenStore(fault, options))).toBeTypeOf('string');
});
