// The whole contract once more with everything that large logs need in use all the time: contents in parts, a snapshot behind
// every other link, trails that end at once, links removed as soon as they may be.
import { historyStoreSuite } from '@haip/testing';
import { opener } from './streams.ts';

const { open, optionsOf } = opener(
  {},
  { inlineBytes: 300, partBytes: 400, trail: 2, snapshotEvery: 2, garbageBytes: 500 },
);

historyStoreSuite({
  name: 'natsHistory in pieces',
  create: (options) => open(options),
  twin: (store) => open(optionsOf(store)),
  reopen: (closed) => open(optionsOf(closed)),
  supports: { durable: true, shared: true, clock: true },
});
