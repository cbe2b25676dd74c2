import { historyStoreSuite, lateStore } from '@haip/testing';
import { memoryHistory } from '../src/index.ts';

const supports = { durable: false, shared: false, clock: true };

historyStoreSuite({ name: 'memoryHistory', create: memoryHistory, supports });

/** A small seeded generator (mulberry32), so that a failing run is the same run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

historyStoreSuite({
  name: 'memoryHistory behind answers that are late at random',
  create: (options) => lateStore(memoryHistory(options), seeded(7)),
  supports,
});
