// Laws on what is kept: windowSize and windowTime, whichever trims first, always a prefix, never an open stream.
// Spec: §4.

import { expect } from 'vitest';
import { draft, type HistoryLaw, HOUR, Log, messageEnd, messagePart, messageStart, span } from './context.ts';

const sizeLaws: readonly HistoryLaw[] = [
  {
    name: 'windowSize keeps exactly the newest messages, and first says where they begin',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 10 }));
      await log.fill(9);
      expect(await log.positions()).toEqual(span(1, 10));
      for (const last of span(11, 40)) {
        await log.put(draft());
        expect(await log.positions()).toEqual(span(last - 9, last));
        expect(await log.head()).toMatchObject({ first: last - 9, last });
      }
    },
  },
  {
    name: 'a window of one message keeps the newest',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 1 }));
      await log.fill(3);
      expect(await log.positions()).toEqual([4]);
    },
  },
  {
    name: 'one transaction that is full trims no other',
    async run({ store }) {
      const history = await store({ windowSize: 5 });
      const [quiet, busy] = [await Log.create(history), await Log.create(history)];
      await quiet.fill(2);
      await busy.fill(50);
      expect(await quiet.positions()).toEqual([1, 2, 3]);
    },
  },
  {
    name: 'an open stream counts once and is not trimmed, nor is anything behind it',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      await log.put(messageStart('m'));
      for (const _ of span(1, 20)) await log.put(messagePart('m', 'x'));
      expect(await log.positions()).toEqual(span(1, 22));
      await log.fill(10);
      expect(await log.head()).toMatchObject({ first: 2, last: 32 });
      expect(await log.positions()).toEqual(span(2, 32));
    },
  },
  {
    name: 'a stream that ended and was compacted counts once',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      const ends: number[] = [];
      for (const _ of span(1, 8)) {
        const extent = await log.stream(['a', 'b', 'c']);
        await log.compact(extent);
        ends.push(extent.end);
      }
      expect(await log.positions()).toEqual(ends.slice(-5));
      expect((await log.head()).first).toBeLessThanOrEqual(ends[3] ?? 0);
    },
  },
  {
    name: 'a stream that was open for long is trimmed once it has ended, and the newest stay',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      const start = await log.put(messageStart('m'));
      await log.put(messagePart('m', 'x'));
      await log.fill(20);
      const end = await log.put(messageEnd('m', start, 'x'));
      await log.compact({ messageId: 'm', start, end });
      expect(await log.positions()).toEqual(span(end - 4, end));
    },
  },
  {
    name: 'a text too long for its END goes as one: a trim that reaches its START goes on to its last entry',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      const start = await log.put(messageStart('m'));
      await log.append([messagePart('m', 'x'), draft(), messagePart('m', 'y'), messageEnd('m', start)]);
      expect(await log.positions()).toEqual(span(1, 6));
      await log.fill(2);
      expect(await log.positions()).toEqual(span(1, 8));
      await log.fill(1);
      expect(await log.positions()).toEqual(span(2, 9));
      await log.fill(1);
      expect(await log.positions()).toEqual(span(7, 10));
      await log.fill(10);
      expect(await log.positions()).toEqual(span(16, 20));
    },
  },
  {
    name: 'positions go on where they were, whatever was trimmed',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 2 }));
      expect(await log.fill(5)).toEqual(span(2, 6));
      expect(await log.fill(3)).toEqual(span(7, 9));
    },
  },
];

const timeLaws: readonly HistoryLaw[] = [
  {
    name: 'windowTime trims what is older, without anybody appending',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store({ windowTime: HOUR }));
      await clock.advance(HOUR / 2);
      await log.fill(3);
      expect(await log.positions()).toEqual(span(1, 4));
      await clock.advance(HOUR / 2 + 1);
      expect(await log.positions()).toEqual(span(2, 4));
      expect(await log.head()).toMatchObject({ first: 2, last: 4 });
      await clock.advance(HOUR);
      expect(await log.head()).toMatchObject({ first: 5, last: 4 });
      expect(await log.put(draft())).toBe(5);
      expect(await log.positions()).toEqual([5]);
    },
  },
  {
    name: 'F38: a wall clock that jumps trims nothing',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store({ windowTime: HOUR }));
      await log.fill(3);
      clock.jumpWall(100 * HOUR);
      await log.fill(1);
      clock.jumpWall(-200 * HOUR);
      await log.fill(1);
      expect(await log.positions()).toEqual(span(1, 6));
    },
  },
  {
    name: 'windowTime does not trim an open stream',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store({ windowTime: HOUR }));
      await log.put(messageStart('m'));
      await log.put(draft());
      await clock.advance(2 * HOUR);
      await log.put(messagePart('m', 'x'));
      expect(await log.positions()).toEqual([2, 3, 4]);
    },
  },
  {
    name: 'a text that TRANSACTION_END cut off is kept or trimmed as one',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store({ windowTime: HOUR }));
      await log.put(messageStart('m'));
      await clock.advance(HOUR / 2);
      await log.append([messagePart('m', 'x'), draft({ type: 'TRANSACTION_END', payload: {} })]);
      await clock.advance(HOUR / 2 + 1);
      expect(await log.positions()).toEqual(span(2, 4));
      await clock.advance(HOUR / 2);
      expect(await log.positions()).toEqual([]);
    },
  },
  {
    name: 'the record and the place in the list outlive every message',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const log = await Log.create(await store({ windowTime: HOUR }));
      await clock.advance(29 * 24 * HOUR);
      expect(await log.positions()).toEqual([]);
      expect((await log.store.get(log.transaction))?.transaction).toBe(log.transaction);
      expect((await log.store.list('ann')).transactions.map(({ transaction }) => transaction)).toContain(
        log.transaction,
      );
      expect(await log.put(draft())).toBe(2);
    },
  },
];

export const windowLaws: readonly HistoryLaw[] = [...sizeLaws, ...timeLaws];
