// Laws on appending: dense positions, one copy for each id, an order of judging that never changes. Spec: §3.

import { bodyDigest } from '@haip/protocol';
import { expect } from 'vitest';
import { draft, freshId, type HistoryLaw, HOUR, Log, refused, span, stored } from './context.ts';

export const appendingLaws: readonly HistoryLaw[] = [
  {
    name: 'positions are 1, 2, 3 … however the drafts are batched [log density]',
    async run({ store }) {
      const log = await Log.create(await store());
      const outcomes: unknown[] = [];
      for (const size of [1, 3, 0, 2, 50, 1]) {
        outcomes.push(...(await log.append(Array.from({ length: size }, () => draft()))));
      }
      expect(outcomes).toEqual(span(2, 58).map(stored));
      expect(await log.positions()).toEqual(span(1, 58));
      expect(await log.head()).toMatchObject({ first: 1, last: 58 });
    },
  },
  {
    name: 'appends that are underway together get different positions and leave no hole [F34]',
    async run({ store }) {
      const log = await Log.create(await store());
      const batches = await Promise.all(span(1, 20).map(() => log.append([draft(), draft()])));
      const positions = batches.flat().map((outcome) => (outcome.kind === 'stored' ? outcome.position : 0));
      expect(positions.toSorted((a, b) => a - b)).toEqual(span(2, 41));
      for (const [first, second] of batches.map((batch) => batch.map((o) => (o.kind === 'stored' ? o.position : 0)))) {
        expect(second).toBe((first ?? 0) + 1);
      }
    },
  },
  {
    name: 'an entry is read as it was written, every field and byte of it',
    async run({ store }) {
      const log = await Log.create(await store());
      const payload = JSON.parse(
        '{"__proto__":{"a":1},"text":"\\u0000\\ud83d\\ude00\\u2028 é","list":[null,1.5,true,[]]}',
      );
      const written = draft({
        type: 'AUDIO',
        payload,
        bytes: new Uint8Array(256).map((_, i) => i),
        mime: 'audio/webm;codecs=opus',
        run_id: 'run-1',
        thread_id: 'a label',
        related_id: freshId(),
      });
      const position = await log.put(written);
      const bare = draft({ user: null });
      await log.put(bare);
      const [first, second] = (await log.read({ from: position })).entries;
      for (const [entry, from] of [
        [first, written],
        [second, bare],
      ] as const) {
        const { digest: _, subject: __, outcome: ___, bytes, ...fields } = from;
        const { bytes: read, ...rest } = entry ?? {};
        expect(rest).toEqual({ ...fields, position: entry?.position });
        expect(Array.from(read ?? [])).toEqual(Array.from(bytes ?? []));
      }
      expect(JSON.stringify(first?.payload)).toBe(JSON.stringify(payload));
    },
  },
  {
    name: 'an id its author used before is a repeat with the first position and digest, whatever is in it [single copy]',
    async run({ store }) {
      const log = await Log.create(await store());
      const first = draft({ payload: 'one' });
      const position = await log.put(first);
      const repeat = { kind: 'repeat', position, digest: bodyDigest('MESSAGE', 'one') };
      const again = draft({ id: first.id, payload: 'one' });
      const other = draft({ id: first.id, payload: 'two' });
      expect(await log.append([again, draft(), other])).toEqual([repeat, stored(3), repeat]);
      expect(await log.positions()).toEqual([1, 2, 3]);
    },
  },
  {
    name: 'an id twice in one append is stored once [single copy]',
    async run({ store }) {
      const log = await Log.create(await store());
      const one = draft();
      const outcomes = await log.append([one, { ...one }]);
      expect(outcomes).toEqual([stored(2), { kind: 'repeat', position: 2, digest: one.digest }]);
    },
  },
  {
    name: "the agent's ids are keys too: an append tried again is a repeat [F28]",
    async run({ store }) {
      const log = await Log.create(await store());
      const one = draft({ user: null });
      await log.put(one);
      expect(await log.append([{ ...one, outcome: undefined }])).toMatchObject([{ kind: 'repeat', position: 2 }]);
    },
  },
  {
    name: 'A60: an id used by one user is free for another, for the agent, and in another transaction',
    async run({ store }) {
      const history = await store();
      const log = await Log.create(history);
      const { id } = draft();
      expect(await log.append(['ann', 'bob', null].map((user) => draft({ id, user })))).toEqual(span(2, 4).map(stored));
      const other = await Log.create(history);
      expect(await other.append([draft({ id })])).toEqual([stored(2)]);
    },
  },
  {
    name: 'find gives position and digest of a used id, and null for any other',
    async run({ store }) {
      const log = await Log.create(await store());
      const one = draft();
      const position = await log.put(one);
      expect(await log.store.find(log.transaction, 'ann', one.id)).toEqual({ position, digest: one.digest });
      expect(await log.store.find(log.transaction, 'bob', one.id)).toBeNull();
      expect(await log.store.find(log.transaction, 'ann', freshId())).toBeNull();
    },
  },
  {
    name: 'a repeat is seen before any refusal',
    async run({ store }) {
      const log = await Log.create(await store());
      const one = draft();
      await log.put(one);
      await log.put(draft({ type: 'TRANSACTION_END', payload: {} }));
      const outcomes = await log.append([{ ...one }, draft()], 77);
      expect(outcomes).toMatchObject([{ kind: 'repeat', position: 2 }, refused('lease')]);
    },
  },
  {
    name: 'nothing is stored after TRANSACTION_END, not in the same append either [terminal uniqueness]',
    async run({ store }) {
      const log = await Log.create(await store());
      const end = draft({ type: 'TRANSACTION_END', payload: {} });
      expect(await log.append([draft(), end, draft()])).toEqual([stored(2), stored(3), refused('ended')]);
      expect(await log.append([draft({ user: null }), draft({ type: 'TRANSACTION_END', payload: {} })])).toEqual([
        refused('ended'),
        refused('ended'),
      ]);
      expect(await log.positions()).toEqual([1, 2, 3]);
      expect((await log.store.get(log.transaction))?.endedAt).toBe(end.ts);
    },
  },
  {
    name: "one draft's outcome does not change another's, and what is refused takes no position and no id",
    async run({ store }) {
      const log = await Log.create(await store());
      const stray = draft({ type: 'MESSAGE_PART', payload: { message_id: 'm', text: 'x' } });
      const outcomes = await log.append([draft(), stray, draft()]);
      expect(outcomes).toEqual([stored(2), refused('subject'), stored(3)]);
      expect(await log.store.find(log.transaction, 'ann', stray.id)).toBeNull();
      expect(await log.append([draft({ id: stray.id })])).toEqual([stored(4)]);
    },
  },
  {
    name: "a user's id is still a repeat after its entry was compacted or trimmed [single copy]",
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 5 }));
      const early = draft();
      await log.put(early);
      const extent = await log.stream(['a', 'b'], { user: 'ann' });
      const [, part] = (await log.read({ from: extent.start })).entries;
      await log.compact(extent);
      expect(await log.append([draft({ ...part })])).toMatchObject([{ kind: 'repeat', position: part?.position }]);
      await log.fill(20, { user: 'bob' });
      expect((await log.head()).first).toBeGreaterThan(extent.end);
      expect(await log.append([{ ...early, outcome: undefined }])).toMatchObject([{ kind: 'repeat', position: 2 }]);
    },
  },
  {
    name: 'ids are remembered for 15 minutes after their entry was trimmed by time, and as long as the window [F28]',
    needs: ({ clock }) => clock,
    async run({ store, clock }) {
      const brief = await Log.create(await store({ windowTime: 60_000 }));
      const long = await Log.create(await store({ windowTime: 2 * HOUR }));
      const one = draft();
      await brief.put(one);
      await long.put({ ...one });
      await clock.advance(14 * 60_000);
      expect(await brief.positions()).toEqual([]);
      expect(await brief.append([{ ...one }])).toMatchObject([{ kind: 'repeat', position: 2 }]);
      await clock.advance(100 * 60_000);
      await long.put(draft());
      expect(await long.append([{ ...one }])).toMatchObject([{ kind: 'repeat', position: 2 }]);
    },
  },
  {
    name: 'a transaction that is not known refuses every draft as missing',
    async run({ store }) {
      const log = new Log(await store(), freshId('tx'));
      expect(await log.append([draft(), draft()])).toEqual([refused('missing'), refused('missing')]);
      expect(await log.store.get(log.transaction)).toBeNull();
    },
  },
];
