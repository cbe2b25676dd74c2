export type { Duration } from '@haip/history-engine';
export { natsHistory } from './nats-history.ts';
export type { NatsHistoryOptions } from './options.ts';
