// Laws on transactions as a whole: made once for each reference, listed newest first, run by one holder at a time,
// and a store that is closed says no to everything. Spec: §2, §4, invariant 13.

import type { Heads } from '@haip/protocol';
import { expect } from 'vitest';
import { eventually } from '../transport-laws/context.ts';
import {
  createTransaction,
  draft,
  freshId,
  type HistoryLaw,
  HOUR,
  Log,
  recordOf,
  refused,
  span,
  startOf,
  stored,
} from './context.ts';

const usersOf = ({ revoked }: Heads): string[] => revoked.map(({ user }) => user);

const recordLaws: readonly HistoryLaw[] = [
  {
    name: 'create stores the first entry at position 1 and get gives the record',
    async run({ store }) {
      const history = await store();
      const record = recordOf({ params: { a: [1] }, title: 'A title' });
      const first = startOf(record);
      expect(await history.create(record, first)).toMatchObject({ record, created: true });
      expect(first.outcome).toEqual(stored(1));
      expect(await history.get(record.transaction)).toEqual(record);
      const [entry] = await new Log(history, record.transaction).all();
      expect(entry).toMatchObject({ position: 1, id: first.id, type: 'TRANSACTION_START', payload: first.payload });
    },
  },
  {
    name: 'F56: create with a reference id of the same user gives what is there and changes nothing',
    async run({ store }) {
      const history = await store();
      const { record, epoch } = await createTransaction(history);
      const again = recordOf({ referenceId: record.referenceId, tool: 'other', params: { b: 2 } });
      expect(await history.create(again, startOf(again))).toEqual({ record, epoch, created: false });
      expect(await history.get(again.transaction)).toBeNull();
      expect(await new Log(history, record.transaction).positions()).toEqual([1]);
      expect((await history.list('ann')).transactions).toEqual([record]);
    },
  },
  {
    name: 'creates that are underway together with one reference id make one transaction [F56]',
    async run({ store }) {
      const history = await store();
      const referenceId = freshId('ref');
      const all = await Promise.all(span(1, 8).map(() => createTransaction(history, { referenceId })));
      expect(all.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(all.map(({ record }) => record.transaction)).size).toBe(1);
    },
  },
  {
    name: 'the same reference id of another user makes another transaction',
    async run({ store }) {
      const history = await store();
      const one = await createTransaction(history, { referenceId: 'same', starter: freshId('user') });
      const two = await createTransaction(history, { referenceId: 'same', starter: freshId('user') });
      expect([one.created, two.created]).toEqual([true, true]);
      expect(two.record.transaction).not.toBe(one.record.transaction);
    },
  },
  {
    name: 'a transaction that is not known has no record, no head, no page, no keys and no lease',
    async run({ store }) {
      const history = await store();
      const unknown = freshId('tx');
      expect(await history.get(unknown)).toBeNull();
      expect(await history.head(unknown)).toBeNull();
      expect(await history.read(unknown, { from: 1 })).toBeNull();
      expect(await history.find(unknown, 'ann', 'x')).toBeNull();
      expect(await history.lease(unknown, 'node', 1000)).toBeNull();
      await history.compact(unknown, { messageId: 'm', start: 1, end: 2 });
      await history.saveLease(unknown, 1, { done: 1, begun: 0, tries: 0 });
      expect((await history.list(freshId('user'))).transactions).toEqual([]);
    },
  },
  {
    name: 'list gives what a user started, newest first, in pages that together have each once',
    async run({ store, clock }) {
      const history = await store();
      const starter = freshId('user');
      const made: string[] = [];
      for (const _ of span(1, 120)) {
        await clock.advance(1);
        const { record } = await createTransaction(history, { starter, createdAt: clock.now() });
        made.unshift(record.transaction);
        await createTransaction(history, { starter: freshId('other') });
      }
      const listed: string[] = [];
      let after: string | undefined;
      do {
        const page = await history.list(starter, after);
        expect(page.transactions.length).toBeLessThanOrEqual(50);
        listed.push(...page.transactions.map(({ transaction }) => transaction));
        after = page.next;
      } while (after !== undefined);
      expect(listed).toEqual(made);
    },
  },
  {
    name: 'list has what a user joined, once, in its place among the others',
    async run({ store, clock }) {
      const history = await store();
      const user = freshId('user');
      const made: Log[] = [];
      for (const starter of [user, freshId('other'), user]) {
        await clock.advance(1);
        made.unshift(await Log.create(history, { starter, createdAt: clock.now() }));
      }
      const joined = made[1] as Log;
      for (const _ of span(1, 2)) await joined.put(draft({ type: 'TRANSACTION_JOIN', user, payload: {} }));
      const { transactions, next } = await history.list(user);
      expect(transactions.map(({ transaction }) => transaction)).toEqual(made.map(({ transaction }) => transaction));
      expect(next).toBeUndefined();
    },
  },
  {
    name: 'F22: a store that does not outlive its process begins with an epoch of its own',
    needs: ({ durable }) => !durable,
    async run({ store }) {
      const [one, two] = [await Log.create(await store()), await Log.create(await store())];
      expect((await one.head()).epoch).not.toBe((await two.head()).epoch);
    },
  },
];

const leaseLaws: readonly HistoryLaw[] = [
  {
    name: 'one holder at a time has the lease; it renews it under the same fence',
    async run({ store }) {
      const { store: history, transaction } = await Log.create(await store());
      const first = await history.lease(transaction, 'node-1', 10_000);
      expect(first?.record).toEqual({ done: 0, begun: 0, tries: 0 });
      expect(await history.lease(transaction, 'node-2', 10_000)).toBeNull();
      expect((await history.lease(transaction, 'node-1', 10_000))?.fence).toBe(first?.fence);
    },
  },
  {
    name: 'holders that ask together: one gets it',
    async run({ store }) {
      const { store: history, transaction } = await Log.create(await store());
      const asked = await Promise.all(span(1, 8).map((node) => history.lease(transaction, `node-${node}`, 10_000)));
      expect(asked.filter((lease) => lease !== null)).toHaveLength(1);
    },
  },
  {
    name: 'a lease that ran out goes to who asks, with a higher fence and the record as it was left',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const { store: history, transaction } = await Log.create(await store());
      const first = await history.lease(transaction, 'node-1', 10_000);
      const record = { done: 4, begun: 6, tries: 1 };
      await history.saveLease(transaction, first?.fence ?? 0, record);
      await clock.advance(9_999);
      expect(await history.lease(transaction, 'node-2', 10_000)).toBeNull();
      await clock.advance(2);
      const second = await history.lease(transaction, 'node-2', 10_000);
      expect(second?.fence).toBeGreaterThan(first?.fence ?? Number.POSITIVE_INFINITY);
      expect(second?.record).toEqual(record);
      expect(await history.lease(transaction, 'node-1', 10_000)).toBeNull();
    },
  },
  {
    name: 'a lease that its holder takes for 0 ms is let go: another has it at once, with a higher fence and the record as it was left',
    async run({ store }) {
      const log = await Log.create(await store());
      const { store: history, transaction } = log;
      const first = (await history.lease(transaction, 'node-1', 10_000))?.fence ?? Number.POSITIVE_INFINITY;
      const record = { done: 4, begun: 6, tries: 1 };
      await history.saveLease(transaction, first, record);
      expect(await history.lease(transaction, 'node-2', 0)).toBeNull();
      expect((await history.lease(transaction, 'node-1', 0))?.fence).toBe(first);
      const second = await history.lease(transaction, 'node-2', 10_000);
      expect(second?.fence).toBeGreaterThan(first);
      expect(second?.record).toEqual(record);
      // Who does not hold it lets nothing go.
      expect(await history.lease(transaction, 'node-1', 0)).toBeNull();
      expect(await history.lease(transaction, 'node-3', 10_000)).toBeNull();
      expect(await log.append([draft({ user: null })], first)).toEqual([refused('lease')]);
      expect(await log.append([draft({ user: null })], second?.fence)).toEqual([stored(2)]);
    },
  },
  {
    name: 'once another holds it, a stale fence appends nothing and writes no record [one lease per agent]',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store());
      const old = (await log.store.lease(log.transaction, 'node-1', 1000))?.fence ?? 0;
      expect(await log.append([draft({ user: null })], old)).toEqual([stored(2)]);
      await clock.advance(1001);
      expect(await log.append([draft({ user: null })], old)).toEqual([stored(3)]);
      const now = (await log.store.lease(log.transaction, 'node-2', 1000))?.fence ?? 0;
      expect(await log.append([draft({ user: null }), draft()], old)).toEqual([refused('lease'), refused('lease')]);
      await log.store.saveLease(log.transaction, old, { done: 99, begun: 0, tries: 0 });
      await log.store.saveLease(log.transaction, now, { done: 3, begun: 0, tries: 0 });
      await log.store.saveLease(log.transaction, old, { done: 99, begun: 0, tries: 0 });
      expect((await log.store.lease(log.transaction, 'node-2', 1000))?.record).toEqual({ done: 3, begun: 0, tries: 0 });
      expect(await log.append([draft({ user: null })], now)).toEqual([stored(4)]);
    },
  },
  {
    name: 'a fence nobody was given is stale, and an append without one needs none',
    async run({ store }) {
      const log = await Log.create(await store());
      expect(await log.append([draft()], 12_345)).toEqual([refused('lease')]);
      await log.store.lease(log.transaction, 'node-1', 10_000);
      expect(await log.append([draft()])).toEqual([stored(2)]);
    },
  },
];

const storeLaws: readonly HistoryLaw[] = [
  {
    name: 'after close everything rejects, and closing again does not',
    async run({ store }) {
      const history = await store();
      const { transaction } = await Log.create(history);
      await history.close();
      const record = recordOf();
      const asked = [
        () => history.create(record, startOf(record)),
        () => history.get(transaction),
        () => history.list('ann'),
        () => history.append(transaction, [draft()]),
        () => history.find(transaction, 'ann', 'x'),
        () => history.read(transaction, { from: 1 }),
        () => history.head(transaction),
        () => history.heads([transaction]),
        () => history.revoke('ann'),
        () => history.compact(transaction, { messageId: 'm', start: 1, end: 2 }),
        () => history.lease(transaction, 'node', 1000),
        () => history.saveLease(transaction, 1, { done: 0, begun: 0, tries: 0 }),
      ];
      for (const ask of asked) await expect((async () => await ask())()).rejects.toBeInstanceOf(Error);
      await history.close();
    },
  },
  {
    name: 'heads tells in one moment where each log stands, in the order asked, and null of what is not known',
    async run({ store }) {
      const history = await store();
      const [one, two] = [await Log.create(history), await Log.create(history)];
      await two.fill(2);
      const { heads, revoked } = await history.heads([two.transaction, 'nowhere', one.transaction]);
      expect(heads).toEqual([await two.head(), null, await one.head()]);
      expect([heads[0]?.last, revoked]).toEqual([3, []]);
    },
  },
  {
    name: 'whose rights ended is told to each who asks, once from their own place on',
    async run({ store }) {
      const history = await store();
      const before = await history.heads([]);
      for (const user of ['ann', 'bob']) await history.revoke(user);
      const between = await history.heads([], before.place);
      await history.revoke('ann');
      const after = await history.heads([], between.place);
      expect([before, between, after].map(usersOf)).toEqual([[], ['ann', 'bob'], ['ann']]);
      expect(usersOf(await history.heads([], before.place))).toEqual(['ann', 'bob', 'ann']);
      expect((await history.heads([], after.place)).revoked).toEqual([]);
      expect((await history.heads([])).revoked).toEqual([]);
    },
  },
  {
    name: 'whose rights ended is told for an hour, with how long ago that was',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const history = await store();
      const { place } = await history.heads([]);
      await history.revoke('ann');
      await clock.advance(HOUR - 1);
      await history.revoke('bob');
      const { revoked } = await history.heads([], place);
      expect(revoked).toEqual([
        { user: 'ann', agoMs: HOUR - 1 },
        { user: 'bob', agoMs: 0 },
      ]);
    },
  },
  {
    name: 'whose rights end in one process another one hears of, and is told',
    needs: ({ shared }) => shared,
    async run({ store, twin }) {
      const history = await store();
      const other = await twin(history);
      const { place } = await other.heads([]);
      const heard = new Set<string>();
      const stop = other.watch(
        () => {},
        (user) => void heard.add(user),
      );
      await history.revoke('ann');
      await eventually(() => heard.has('ann'));
      const late = await other.heads([], place);
      expect(usersOf(late)).toEqual(['ann']);
      expect(late.revoked[0]?.agoMs).toBeGreaterThanOrEqual(0);
      stop();
    },
  },
  {
    name: 'a watcher may stop, and stopping twice is fine',
    async run({ store }) {
      const stop = (await store()).watch(() => {});
      stop();
      stop();
    },
  },
  {
    name: 'what one process appends another one sees, and hears of',
    needs: ({ shared }) => shared,
    async run({ store, twin }) {
      const history = await store();
      const other = await twin(history);
      const log = await Log.create(history);
      const heard = new Set<string>();
      const stop = other.watch((transaction) => void heard.add(transaction));
      const there = new Log(other, log.transaction);
      const both = await Promise.all(span(1, 20).map((i) => (i % 2 === 0 ? log : there).append([draft()])));
      expect(both.flat().map(({ kind }) => kind)).toEqual(span(1, 20).map(() => 'stored'));
      await eventually(() => heard.has(log.transaction));
      expect(await there.positions()).toEqual(span(1, 21));
      expect(await there.head()).toEqual(await log.head());
      stop();
    },
  },
];

export const recordAndLeaseLaws: readonly HistoryLaw[] = [...recordLaws, ...leaseLaws, ...storeLaws];
