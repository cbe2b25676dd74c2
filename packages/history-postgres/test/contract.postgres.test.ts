import type { HistoryStore } from '@haip/protocol';
import { historyStoreSuite } from '@haip/testing';
import { type PostgresHistoryOptions, postgresHistory } from '../src/index.ts';
import { temporarySchemas, url } from './schemas.ts';

const nextSchema = temporarySchemas();
const optionsOf = new WeakMap<HistoryStore, PostgresHistoryOptions>();

function open(options: PostgresHistoryOptions): HistoryStore {
  const store = postgresHistory(options);
  optionsOf.set(store, options);
  return store;
}

const openAgain = (store: HistoryStore): HistoryStore => open(optionsOf.get(store) as PostgresHistoryOptions);

historyStoreSuite({
  name: 'postgresHistory',
  create: (options) => open({ connectionString: url, schema: nextSchema(), ...options }),
  twin: openAgain,
  reopen: openAgain,
  supports: { durable: true, shared: true, clock: true },
});
