import type { HistoryStore } from '@haip/protocol';
import { historyStoreSuite } from '@haip/testing';
import { redisHistory } from '../src/index.ts';
import type { RedisHistoryOptions } from '../src/options.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';

const nextPrefix = temporaryPrefixes();
const optionsOf = new WeakMap<HistoryStore, RedisHistoryOptions>();

async function open(options: RedisHistoryOptions): Promise<HistoryStore> {
  const store = await redisHistory(options);
  optionsOf.set(store, options);
  return store;
}

const again = (store: HistoryStore): Promise<HistoryStore> => open(optionsOf.get(store) as RedisHistoryOptions);

historyStoreSuite({
  name: 'redisHistory',
  create: (options) => open({ url: redisUrl, prefix: nextPrefix(), logger: () => {}, ...options }),
  twin: again,
  reopen: again,
  supports: { durable: true, shared: true, clock: true },
});
