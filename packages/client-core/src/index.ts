export { HAIPClient } from './client.ts';
export type { ClientEvents, ClientState, Credentials, JoinOptions, StartOptions } from './client-events.ts';
export type { ClientStats, FailedMessage, OutboxKeeper } from './core.ts';
export {
  ClientError,
  ClosedError,
  ConnectionEndedError,
  type Refusal,
  RefusedError,
  ReplayTooOldError,
  UnknownOutcomeError,
} from './errors.ts';
export type { HeartbeatOptions } from './heartbeat.ts';
export { type KeptOutboxOptions, keptOutbox, sessionStorageOutbox } from './kept-outbox.ts';
export type { ClientOptions, FallbackOptions, ReconnectOptions } from './options.ts';
export type { SendResult } from './outbox.ts';
export { plainV1 } from './plain-v1.ts';
export type { DelayRange } from './reconnect-delay.ts';
export type {
  CancelOptions,
  Cursor,
  PendingMessage,
  Transaction,
  TransactionEvent,
  TransactionEvents,
  WaitOptions,
} from './transaction.ts';
export type { TransactionList, TransactionSummary } from './transaction-list.ts';
export type { WindowOptions } from './windows.ts';
