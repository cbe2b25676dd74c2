export type { Duration } from '@haip/history-engine';
export type { RedisHistoryOptions } from './options.ts';
export { redisHistory } from './redis-history.ts';
