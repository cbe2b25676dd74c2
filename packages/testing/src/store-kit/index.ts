export { assertKeepsText } from './any-text.ts';
export { draft, recordOf, startOf } from './drafts.ts';
export { assertAllThere, type Settled, settledBeforeKill, settledBy, type ThereOptions } from './killed-writer.ts';
export { type WriterOptions, writeForEver } from './writer.ts';
