export { isSameSecret } from '@haip/platform';
export { type Call, createPermissionMap, type HAIPUser, type StopReason, type Tool, type Turn } from '@haip/protocol';
export type { Credits, CreditsOptions, PricedMessage } from './charges.ts';
export { defaultLimits, type ServerLimits } from './limits.ts';
export { ReplayRestartedError, ReplayTooOldError } from './log-pages.ts';
export { type MemoryLedgerOptions, memoryLedger } from './memory-ledger.ts';
export { HAIPServer, type HAIPServerOptions } from './server.ts';
