import type { HistoryStore } from '@haip/protocol';
import { historyStoreSuite } from '@haip/testing';
import { sqliteHistory } from '../src/index.ts';
import type { SqliteHistoryOptions } from '../src/options.ts';
import { temporaryFiles } from './files.ts';

const nextFile = temporaryFiles();
const optionsOf = new WeakMap<HistoryStore, SqliteHistoryOptions>();

function open(options: SqliteHistoryOptions): HistoryStore {
  const store = sqliteHistory(options);
  optionsOf.set(store, options);
  return store;
}

historyStoreSuite({
  name: 'sqliteHistory',
  create: (options) => open({ path: nextFile(), ...options }),
  reopen: (closed) => open(optionsOf.get(closed) as SqliteHistoryOptions),
  supports: { durable: true, shared: false, clock: true },
});
