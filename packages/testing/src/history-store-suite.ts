// The contract of a history store as a test suite that any implementation can run. The laws are plain functions, so
// that stores broken on purpose show that they catch them.

import type { HistoryStore } from '@haip/protocol';
import { describe, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { appendingLaws } from './history-laws/appending.ts';
import { backplaneLaws } from './history-laws/backplane.ts';
import {
  type HistoryLaw,
  type HistoryLawContext,
  type HistoryStoreSupports,
  HOUR,
  type StoreOptions,
} from './history-laws/context.ts';
import { durableLaws } from './history-laws/durable.ts';
import { modelLaws } from './history-laws/model.ts';
import { readLaws } from './history-laws/reading.ts';
import { recordAndLeaseLaws } from './history-laws/records.ts';
import { subjectLaws } from './history-laws/subjects.ts';
import { windowLaws } from './history-laws/windows.ts';

export interface HistoryStoreSuiteOptions {
  readonly name: string;
  /** Makes an empty store. The suite closes it. Several may be open at once. */
  create(options: StoreOptions): HistoryStore | Promise<HistoryStore>;
  /** A second store on what `store` holds, as another process would open it. Needed where `shared` is supported. */
  twin?: ((store: HistoryStore) => HistoryStore | Promise<HistoryStore>) | undefined;
  /**
   * Opens again, with the same options, what a store held that is closed. Needed where `durable` is supported; without
   * it the `twin` does, opened before the first one is closed.
   */
  reopen?: ((closed: HistoryStore) => HistoryStore | Promise<HistoryStore>) | undefined;
  /** What it can do; laws on what it can not do are left out. */
  readonly supports: HistoryStoreSupports;
}

/** Every law a history store keeps. */
export const historyStoreLaws: readonly HistoryLaw[] = [
  ...appendingLaws,
  ...subjectLaws,
  ...readLaws,
  ...windowLaws,
  ...recordAndLeaseLaws,
  ...backplaneLaws,
  ...durableLaws,
  ...modelLaws,
];

/** Runs one law on stores of its own and closes them, whatever came out. Rejects when the law does not hold. */
export async function runHistoryLaw(
  law: HistoryLaw,
  { create, twin, reopen }: Pick<HistoryStoreSuiteOptions, 'create' | 'twin' | 'reopen'>,
): Promise<void> {
  const clock = fakeClock();
  const made: HistoryStore[] = [];
  const context: HistoryLawContext = {
    clock,
    async store({ windowSize = 1000, windowTime = HOUR } = {}) {
      const store = await create({ windowSize, windowTime, clock });
      made.push(store);
      return store;
    },
    async twin(store) {
      if (twin === undefined) throw new Error('twin: needed for a store that says it is shared');
      const second = await twin(store);
      made.push(second);
      return second;
    },
    async reopen(store) {
      if (reopen === undefined) {
        const second = await context.twin(store);
        await store.close();
        return second;
      }
      await store.close();
      const again = await reopen(store);
      made.push(again);
      return again;
    },
  };
  try {
    await law.run(context);
  } finally {
    for (const store of made) await store.close();
  }
}

/** Declares one test for each law, inside a `describe` of its own. Call it at the top of a test file. */
export function historyStoreSuite(options: HistoryStoreSuiteOptions): void {
  describe(`${options.name} keeps the contract of a history store`, () => {
    for (const law of historyStoreLaws.filter(({ needs }) => needs?.(options.supports) ?? true)) {
      test(law.name, () => runHistoryLaw(law, options));
    }
  });
}
