// A store on the Redis that tests share, for as long as it is needed, and one transaction in it.
import type { HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect } from 'vitest';
import { redisHistory } from '../src/index.ts';
import type { RedisHistoryOptions } from '../src/options.ts';
import { redisUrl } from './prefixes.ts';

export type Options = Omit<RedisHistoryOptions, 'url' | 'logger'>;

const open = (options: Options): Promise<HistoryStore> => redisHistory({ url: redisUrl, logger: () => {}, ...options });

/** Opens a store for as long as `use` takes. As it closes it looks after what is due. */
export async function withStore<T>(options: Options, use: (store: HistoryStore) => Promise<T>): Promise<T> {
  const store = await open(options);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

export async function createChat(store: HistoryStore, transaction = 'chat'): Promise<void> {
  const record = recordOf(transaction);
  await store.create(record, startOf(record));
}

export async function put(store: HistoryStore, fields: Parameters<typeof draft>[0] = {}): Promise<void> {
  const one = draft(fields);
  await store.append('chat', [one]);
  expect(one.outcome).toMatchObject({ kind: 'stored' });
}
