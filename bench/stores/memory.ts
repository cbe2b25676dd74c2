// The store in memory beside arrays that are pushed to.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memoryHistory } from '@haip/history-memory';
import type { Draft } from '@haip/protocol';
import type { OpenStore } from '../opened-store.ts';

const WINDOW = 10_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

export const open: OpenStore = (logs) => {
  const arrays = Array.from({ length: logs }, (): Draft[] => []);
  const filled: Draft[] = [];
  return {
    what: 'memory',
    store: memoryHistory({ windowSize: WINDOW, maxBytes: 2 ** 30 }),
    bare: {
      append(log, draft) {
        const array = arrays[log] as Draft[];
        // Or it would take all memory there is.
        if (array.length >= 2 * WINDOW) array.splice(0, WINDOW);
        array.push(draft);
      },
      fill(drafts) {
        filled.push(...drafts);
      },
      read: (from) => filled.slice(from - 1, from + 199).length,
    },
    engineMicros: () => 0,
    storedBytes() {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    },
    end() {},
  };
};
