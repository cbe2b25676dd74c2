export type { Duration } from '@haip/history-engine';
export { memoryHistory } from './memory-history.ts';
export type { MemoryHistoryOptions } from './options.ts';
