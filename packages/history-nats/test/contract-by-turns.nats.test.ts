// The whole contract over three nodes, each call to the next of them: whatever one knows it has folded from what the
// others wrote, with snapshots and parts in between.
import type { HistoryStore } from '@haip/protocol';
import { historyStoreSuite } from '@haip/testing';
import { opener } from './streams.ts';

const { open, optionsOf } = opener(
  {},
  { inlineBytes: 2000, partBytes: 1500, trail: 3, snapshotEvery: 5, garbageBytes: 2000 },
);
const nodesOf = new WeakMap<HistoryStore, readonly HistoryStore[]>();
const NODES = 3;

/** Several stores on the same streams, as one. */
async function byTurns(options?: Parameters<typeof open>[0]): Promise<HistoryStore> {
  const first = await open(options);
  const nodes = [first];
  while (nodes.length < NODES) nodes.push(await open(optionsOf(first)));
  let turn = 0;
  const next = (): HistoryStore => nodes[turn++ % NODES] as HistoryStore;
  const all: HistoryStore = {
    supports: first.supports,
    create: (...asked) => next().create(...asked),
    get: (...asked) => next().get(...asked),
    list: (...asked) => next().list(...asked),
    append: (...asked) => next().append(...asked),
    find: (...asked) => next().find(...asked),
    read: (...asked) => next().read(...asked),
    head: (...asked) => next().head(...asked),
    heads: (...asked) => next().heads(...asked),
    revoke: (...asked) => next().revoke(...asked),
    compact: (...asked) => next().compact(...asked),
    lease: (...asked) => next().lease(...asked),
    saveLease: (...asked) => next().saveLease(...asked),
    watch: (...asked) => first.watch(...asked),
    notify: (...asked) => next().notify(...asked),
    listen: (...asked) => next().listen(...asked),
    close: async () => void (await Promise.all(nodes.map((node) => node.close()))),
  };
  nodesOf.set(all, nodes);
  return all;
}

const optionsOfAll = (store: HistoryStore) => optionsOf(nodesOf.get(store)?.[0] as HistoryStore);

historyStoreSuite({
  name: 'natsHistory by turns',
  create: (options) => byTurns(options),
  twin: (store) => byTurns(optionsOfAll(store)),
  reopen: (closed) => byTurns(optionsOfAll(closed)),
  supports: { durable: true, shared: true, clock: true },
});
