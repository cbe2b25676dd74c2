// Laws on a store that outlives its process: closed and opened again it goes on as if nothing had been. Spec: §3, §4.

import { expect } from 'vitest';
import {
  createTransaction,
  draft,
  type HistoryLaw,
  Log,
  messageEnd,
  messagePart,
  messageStart,
  recordOf,
  refused,
  span,
  startOf,
  stored,
} from './context.ts';

const needs: HistoryLaw['needs'] = ({ durable }) => durable;

export const durableLaws: readonly HistoryLaw[] = [
  {
    name: 'F23: opened again it has the same epoch and every entry, and positions go on',
    needs,
    async run({ store, reopen }) {
      const log = await Log.create(await store());
      await log.put(draft({ type: 'AUDIO', payload: {}, bytes: new Uint8Array([0, 255, 7]), mime: 'audio/webm' }));
      await log.append(span(3, 300).map((i) => draft({ payload: `message ${i}` })));
      const before = { head: await log.head(), entries: await log.all() };
      const again = new Log(await reopen(log.store), log.transaction);
      expect(await again.head()).toEqual(before.head);
      expect(await again.all()).toEqual(before.entries);
      expect(await again.put(draft())).toBe(301);
    },
  },
  {
    name: 'F23: opened again it knows every id: a retry is a repeat, of what was compacted too',
    needs,
    async run({ store, reopen }) {
      const log = await Log.create(await store());
      const one = draft();
      const position = await log.put(one);
      const extent = await log.stream(['a', 'b'], { user: 'ann' });
      const [, part] = (await log.read({ from: extent.start })).entries;
      await log.compact(extent);
      const again = new Log(await reopen(log.store), log.transaction);
      expect(await again.append([{ ...one }, draft({ ...part })])).toMatchObject([
        { kind: 'repeat', position, digest: one.digest },
        { kind: 'repeat', position: part?.position },
      ]);
      expect(await again.store.find(log.transaction, 'ann', one.id)).toEqual({ position, digest: one.digest });
    },
  },
  {
    name: 'F23: opened again, what was open can be ended, what was ended stays so, and what was refused stays refused',
    needs,
    async run({ store, reopen }) {
      const log = await Log.create(await store());
      const ended = await log.stream(['x']);
      await log.append([
        messageStart('open'),
        messagePart('open', 'y'),
        draft({ type: 'RUN_STARTED', run_id: 'r', payload: {} }),
      ]);
      const over = await Log.create(log.store);
      await over.put(draft({ type: 'TRANSACTION_END', payload: {} }));
      const history = await reopen(log.store);
      const again = new Log(history, log.transaction);
      expect(
        await again.append([
          messagePart(ended.messageId, 'late', { user: null }),
          draft({ type: 'RUN_STARTED', run_id: 'r', payload: {} }),
          messagePart('open', 'z'),
          messageEnd('open', ended.end + 1, 'yz'),
          messageEnd('open', ended.end + 1, 'yz'),
        ]),
      ).toEqual([
        refused('subject'),
        refused('subject'),
        stored(ended.end + 4),
        stored(ended.end + 5),
        refused('subject'),
      ]);
      expect(await new Log(history, over.transaction).append([draft()])).toEqual([refused('ended')]);
      expect((await history.get(over.transaction))?.endedAt).toBeTypeOf('number');
    },
  },
  {
    name: 'opened again its windows count on where they were',
    needs,
    async run({ store, reopen }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      await log.append([messageStart('m'), messagePart('m', 'x'), draft(), messageEnd('m', 2)]);
      const again = new Log(await reopen(log.store), log.transaction);
      await again.fill(3);
      expect(await again.positions()).toEqual(span(2, 8));
      await again.fill(1);
      expect(await again.positions()).toEqual(span(6, 9));
    },
  },
  {
    name: 'opened again it has its transactions: by id, by reference id, and in the lists of who started or joined them',
    needs,
    async run({ store, reopen }) {
      const first = await store();
      const { record } = await createTransaction(first, { title: 'A title', params: { a: [1] } });
      await new Log(first, record.transaction).put(draft({ type: 'TRANSACTION_JOIN', user: 'bob', payload: {} }));
      const history = await reopen(first);
      expect(await history.get(record.transaction)).toEqual(record);
      for (const user of ['ann', 'bob']) expect((await history.list(user)).transactions).toEqual([record]);
      const again = recordOf({ referenceId: record.referenceId });
      expect(await history.create(again, startOf(again))).toMatchObject({ record, created: false });
      await createTransaction(history);
      expect((await history.list('ann')).transactions).toHaveLength(2);
    },
  },
  {
    name: "opened again it has the lease's record, and no fence is given twice [one lease per agent]",
    needs,
    async run({ store, reopen }) {
      const log = await Log.create(await store());
      const fences = [(await log.store.lease(log.transaction, 'node-1', 0))?.fence ?? 0];
      fences.push((await log.store.lease(log.transaction, 'node-2', 0))?.fence ?? 0);
      const record = { done: 1, begun: 4, tries: 2 };
      await log.store.saveLease(log.transaction, fences[1] ?? 0, record);
      const again = new Log(await reopen(log.store), log.transaction);
      const lease = await again.store.lease(log.transaction, 'node-3', 1000);
      expect(lease?.record).toEqual(record);
      expect(new Set([...fences, lease?.fence]).size).toBe(3);
      expect(await again.append([draft({ user: null })], fences[1])).toEqual([refused('lease')]);
    },
  },
];
