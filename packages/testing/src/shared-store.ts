// One store as several servers of a process have it, each as if it were a node of its own: what one appends or revokes the
// others are hinted at. So that what is said of many nodes can be tried without an engine. Keeps nothing itself.

import type { HistoryStore, Pending } from '@haip/protocol';

export interface SharedStore {
  /** The store as one more node has it. To close it stops its hints; the store itself is closed by who made it. */
  node(): HistoryStore;
}

interface Watcher {
  readonly changed: (transaction: string) => void;
  readonly revoked: ((user: string) => void) | undefined;
}

/** Shares a store of this process. Hints come soon after what they tell of, and once. */
export function sharedStore(inner: HistoryStore): SharedStore {
  const watchers = new Map<HistoryStore, Set<Watcher>>();

  /** Tells the other nodes once it is done. */
  function hinting(from: HistoryStore, pending: Pending, hint: (watcher: Watcher) => void): Pending {
    const tell = (): void => {
      for (const [node, watching] of watchers) if (node !== from) for (const watcher of watching) hint(watcher);
    };
    if (pending) return pending.finally(tell);
    queueMicrotask(tell);
  }

  return {
    node() {
      const own = new Set<Watcher>();
      const node: HistoryStore = {
        ...inner,
        supports: { ...inner.supports, shared: true },
        append: (transaction, drafts, fence) =>
          hinting(node, inner.append(transaction, drafts, fence), ({ changed }) => changed(transaction)),
        revoke: (user) => hinting(node, inner.revoke(user), ({ revoked }) => revoked?.(user)),
        watch(changed, revoked) {
          const watcher = { changed, revoked };
          own.add(watcher);
          return () => void own.delete(watcher);
        },
        close: () => void watchers.delete(node),
      };
      watchers.set(node, own);
      return node;
    },
  };
}
