import { historyStoreSuite } from '@haip/testing';
import { opener } from './streams.ts';

const { open, optionsOf } = opener();

historyStoreSuite({
  name: 'natsHistory',
  create: (options) => open(options),
  twin: (store) => open(optionsOf(store)),
  reopen: (closed) => open(optionsOf(closed)),
  supports: { durable: true, shared: true, clock: true },
});
