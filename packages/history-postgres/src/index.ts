export type { Duration } from '@haip/history-engine';
export type { PostgresClient, PostgresHistoryOptions, PostgresPool } from './options.ts';
export { postgresHistory } from './postgres-history.ts';
