export { memoryHistory } from './memory-history.ts';
export type { Duration, MemoryHistoryOptions } from './options.ts';
