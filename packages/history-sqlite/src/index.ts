export type { Duration } from '@haip/history-engine';
export type { SqliteHistoryOptions } from './options.ts';
export { sqliteHistory } from './sqlite-history.ts';
