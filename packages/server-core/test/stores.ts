// Stores that a test holds by the hand: one whose appends stand still, one that fails where it is told to, one that
// answers by chance.

import { memoryHistory } from '@haip/history-memory';
import type { Draft, HistoryStore } from '@haip/protocol';
import { type FakeClock, type LateStore, lateStore } from '@haip/testing';

/** A generator of chance that a seed repeats. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let epochs = 0;

/** The reference store under a test's clock. */
export function testHistory(clock: FakeClock, options: Parameters<typeof memoryHistory>[0] = {}): HistoryStore {
  return memoryHistory({ clock, ids: () => `epoch-${++epochs}`, ...options });
}

/** The reference store, answering at once or late by chance. */
export function lateHistory(clock: FakeClock, seed = 1, options: Parameters<typeof memoryHistory>[0] = {}): LateStore {
  return lateStore(testHistory(clock, options), seeded(seed));
}

/** The same cases over a store that is done at once and over one that is not: there is one path for both. */
export const bothStores: readonly [name: string, make: (clock: FakeClock) => HistoryStore][] = [
  ['a store that is done at once', (clock) => testHistory(clock)],
  ['a store that is late by chance', (clock) => lateHistory(clock, 7)],
];

export interface HeldStore extends HistoryStore {
  /** Appends to this transaction wait until the returned function is called. */
  hold(transaction: string): () => void;
  /** Reads wait until the returned function is called. */
  holdReads(): () => void;
  /** The next call of this method rejects; `after`: what it does is done all the same. */
  failNext(method: FailingMethod, when?: 'before' | 'after'): void;
}

type FailingMethod =
  | 'append'
  | 'read'
  | 'find'
  | 'get'
  | 'create'
  | 'list'
  | 'saveLease'
  | 'compact'
  | 'lease'
  | 'heads';

/** The reference store with a hand on it. Everything else is done at once. */
export function heldStore(inner: HistoryStore): HeldStore {
  const held = new Map<string, Promise<void>>();
  const failing = new Map<FailingMethod, 'before' | 'after'>();
  let reading: Promise<void> | undefined;

  function failed(method: FailingMethod): Promise<never> {
    return Promise.reject(new Error(`history: ${method} failed, as the test wants`));
  }

  function guarded<M extends FailingMethod>(method: M): HistoryStore[M] {
    const call = inner[method] as (...args: unknown[]) => unknown;
    return ((...args: unknown[]) => {
      const when = failing.get(method);
      failing.delete(method);
      if (when === 'before') return failed(method);
      const answer = call.apply(inner, args);
      if (when === undefined) return answer;
      // Whose append failed finds no outcomes in its drafts.
      if (method === 'append') for (const draft of args[1] as Draft[]) draft.outcome = undefined;
      return failed(method);
    }) as HistoryStore[M];
  }

  const append = guarded('append');
  const read = guarded('read');
  return {
    ...inner,
    append(transaction, drafts, fence) {
      const gate = held.get(transaction);
      return gate === undefined
        ? append(transaction, drafts, fence)
        : gate.then(() => append(transaction, drafts, fence));
    },
    read: (transaction, range) => (reading ? reading.then(() => read(transaction, range)) : read(transaction, range)),
    find: guarded('find'),
    get: guarded('get'),
    create: guarded('create'),
    list: guarded('list'),
    saveLease: guarded('saveLease'),
    compact: guarded('compact'),
    lease: guarded('lease'),
    heads: guarded('heads'),
    hold(transaction) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(transaction, promise);
      return () => {
        held.delete(transaction);
        resolve();
      };
    },
    holdReads() {
      const { promise, resolve } = Promise.withResolvers<void>();
      reading = promise;
      return () => {
        reading = undefined;
        resolve();
      };
    },
    failNext(method, when = 'before') {
      failing.set(method, when);
    },
  };
}

export interface ReplaceableStore extends HistoryStore {
  /** From the next append on: that one is the last thing the store knew before it became another one. */
  replaceAfterNextAppend(next: HistoryStore): void;
  /** At once, and nobody is told. */
  replace(next: HistoryStore): void;
}

/** A store that becomes another one, as after a failover to a copy that had not kept up. */
export function replaceableStore(first: HistoryStore): ReplaceableStore {
  let now = first;
  let next: HistoryStore | undefined;
  return {
    supports: first.supports,
    create: (record, draft) => now.create(record, draft),
    get: (transaction) => now.get(transaction),
    list: (user, after) => now.list(user, after),
    append(transaction, drafts, fence) {
      const pending = now.append(transaction, drafts, fence);
      now = next ?? now;
      next = undefined;
      return pending;
    },
    find: (transaction, user, id) => now.find(transaction, user, id),
    read: (transaction, range) => now.read(transaction, range),
    head: (transaction) => now.head(transaction),
    heads: (transactions, since) => now.heads(transactions, since),
    revoke: (user) => now.revoke(user),
    compact: (transaction, message) => now.compact(transaction, message),
    lease: (transaction, holder, ttlMs) => now.lease(transaction, holder, ttlMs),
    saveLease: (transaction, fence, record) => now.saveLease(transaction, fence, record),
    watch: (changed, revoked) => first.watch(changed, revoked),
    notify: (topic, body) => first.notify(topic, body),
    listen: (topic, heard) => first.listen(topic, heard),
    close: () => now.close(),
    replaceAfterNextAppend(other) {
      next = other;
    },
    replace(other) {
      now = other;
    },
  };
}

export interface MortalStore extends HistoryStore {
  /** Its server is dead: nothing it asks for is done any more, and nothing is answered. */
  kill(): void;
  /** What nobody answered, and what is still asked, fails. */
  bury(): void;
}

/** One server's way to a store that others use, too. */
export function mortalStore(inner: HistoryStore): MortalStore {
  let silence: PromiseWithResolvers<never> | undefined;
  const mortal = Object.fromEntries(
    Object.entries(inner).map(([name, member]) => [
      name,
      typeof member === 'function' ? (...given: unknown[]) => silence?.promise ?? member(...given) : member,
    ]),
  ) as unknown as HistoryStore;
  return {
    ...mortal,
    watch: () => () => {},
    kill() {
      silence = Promise.withResolvers();
    },
    bury() {
      silence?.promise.catch(() => {});
      silence?.reject(new Error('the server is dead'));
    },
  };
}

let drafts = 0;

/** Something that was written elsewhere. */
export function draftFrom(user: string, type: string, payload: Draft['payload'] = {}): Draft {
  const id = `elsewhere-${++drafts}`;
  return { id, user, session: 'elsewhere', ts: 0, channel: 'USER', type, payload, size: 256, digest: '' };
}
