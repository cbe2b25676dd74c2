// Laws on reading and compaction: pages of one moment, holes only where compaction made them, and no conversation that
// looks different after it. Spec: §4, invariants 1, 2, 10.

import { type Draft, type Entry, emptyConversation, type HistoryStore, reduceConversation } from '@haip/protocol';
import fc from 'fast-check';
import { expect } from 'vitest';
import { settle } from '../settle.ts';
import {
  draft,
  type HistoryLaw,
  Log,
  messageEnd,
  messagePart,
  messageStart,
  type StoredStream,
  span,
} from './context.ts';

const readingLaws: readonly HistoryLaw[] = [
  {
    name: 'a page brings at most maxEntries, 200 when not said, and reading on gives each entry once [replay exactness]',
    async run({ store }) {
      const log = await Log.create(await store());
      await log.append(span(2, 450).map(() => draft()));
      const got: number[] = [];
      for (let from = 1; from <= 450; from = (got.at(-1) ?? 450) + 1) {
        const page = await log.read({ from, maxEntries: 60 });
        expect(page.entries.length).toBeLessThanOrEqual(60);
        // A store that brings nothing would be asked for ever.
        if (page.entries.length === 0) break;
        got.push(...page.entries.map(({ position }) => position));
      }
      expect(got).toEqual(span(1, 450));
      expect((await log.read({ from: 1 })).entries.map(({ position }) => position)).toEqual(span(1, 200));
    },
  },
  {
    name: 'a page ends after the entry that reaches maxBytes, and never without one',
    async run({ store }) {
      const log = await Log.create(await store());
      await log.append(span(2, 11).map(() => draft({ payload: 'x'.repeat(1000) })));
      const positions = async (maxBytes: number) =>
        (await log.read({ from: 2, maxBytes })).entries.map(({ position }) => position);
      expect(await positions(1)).toEqual([2]);
      const some = await positions(3500);
      expect(some).toEqual(span(2, some.length + 1));
      expect(some.length).toBeGreaterThanOrEqual(2);
      expect(some.length).toBeLessThanOrEqual(4);
      expect(await positions(1_000_000)).toEqual(span(2, 11));
    },
  },
  {
    name: 'F45: a range is inclusive; one that is empty, upside down or past the last brings nothing',
    async run({ store }) {
      const log = await Log.create(await store());
      await log.append(span(2, 20).map(() => draft()));
      const positions = async (from: number, to?: number) =>
        (await log.read({ from, to })).entries.map(({ position }) => position);
      expect(await positions(5, 9)).toEqual(span(5, 9));
      expect(await positions(7, 7)).toEqual([7]);
      expect(await positions(9, 5)).toEqual([]);
      expect(await positions(21)).toEqual([]);
      expect(await positions(1000, 2000)).toEqual([]);
      expect(await positions(19, 2000)).toEqual([19, 20]);
      expect(await positions(0)).toEqual(span(1, 20));
    },
  },
  {
    name: 'a range that begins before the first gives what is left of it',
    async run({ store }) {
      const log = await Log.create(await store({ windowSize: 10 }));
      await log.fill(30);
      const page = await log.read({ from: 1, to: 25 });
      expect(page).toMatchObject({ first: 22, last: 31 });
      expect(page.entries.map(({ position }) => position)).toEqual(span(22, 25));
      expect((await log.read({ from: 1, to: 10 })).entries).toEqual([]);
    },
  },
  {
    name: 'F46: a page is of one moment, and what is appended meanwhile is found by reading on',
    async run({ store }) {
      const log = await Log.create(await store());
      let isDone = false;
      const appending = (async () => {
        for (const _ of span(1, 50)) await log.append([draft(), draft()]);
        isDone = true;
      })();
      const got: number[] = [];
      while (got.length < 101) {
        const wasDone = isDone;
        const page = await log.read({ from: got.length + 1 });
        if (wasDone && page.entries.length === 0) break;
        expect(page.entries.every(({ position }) => position >= page.first && position <= page.last)).toBe(true);
        got.push(...page.entries.map(({ position }) => position));
        // A turn of the event loop: a store may read at once and append by messages.
        await settle(1);
      }
      await appending;
      expect(got).toEqual(span(1, 101));
    },
  },
  {
    name: 'head, every page and create name one epoch',
    async run({ store }) {
      const log = await Log.create(await store());
      const { epoch } = await log.head();
      await log.fill(3);
      expect([(await log.read({ from: 1 })).epoch, (await log.head()).epoch]).toEqual([epoch, epoch]);
      expect(epoch).toMatch(/^[A-Za-z0-9_.:-]{1,128}$/);
    },
  },
];

const compactionLaws: readonly HistoryLaw[] = [
  {
    name: 'compaction deletes the START and PARTs of its message, keeps positions, and may be repeated',
    async run({ store }) {
      const log = await Log.create(await store());
      const extent = await log.stream(['a', 'b', 'c']);
      const after = await log.put(draft());
      for (const _ of span(1, 2)) {
        await log.compact(extent);
        expect(await log.positions()).toEqual([1, extent.end, after]);
        expect(await log.head()).toMatchObject({ first: 1, last: after });
      }
      expect((await log.read({ from: 2, to: 4 })).entries).toEqual([]);
      expect(await log.put(draft())).toBe(after + 1);
    },
  },
  {
    name: 'compaction leaves what lies between the parts of its message alone',
    async run({ store }) {
      const log = await Log.create(await store());
      const drafts = [
        messageStart('a'),
        messageStart('b'),
        messagePart('a', '1'),
        draft(),
        messagePart('b', '2'),
        messageEnd('a', 2, '1'),
        messagePart('b', '3'),
      ];
      await log.append(drafts);
      await log.compact({ messageId: 'a', start: 2, end: 7 });
      expect(await log.positions()).toEqual([1, 3, 5, 6, 7, 8]);
    },
  },
  {
    name: 'a message without an END that has the whole text is not compacted',
    async run({ store }) {
      const log = await Log.create(await store());
      await log.append([messageStart('open'), messagePart('open', 'x'), draft()]);
      await log.append([messageStart('long'), messagePart('long', 'x'), messageEnd('long', 5)]);
      await log.append([messageStart('other'), messageEnd('other', 8, '')]);
      await log.compact({ messageId: 'open', start: 2, end: 4 });
      await log.compact({ messageId: 'open', start: 2, end: 9 });
      await log.compact({ messageId: 'long', start: 5, end: 7 });
      await log.compact({ messageId: 'long', start: 5, end: 9 });
      await log.compact({ messageId: 'other', start: 8, end: 40 });
      expect(await log.positions()).toEqual(span(1, 9));
    },
  },
  {
    name: 'compaction changes no conversation, and deletes nothing but START and PARTs [log immutability]',
    async run({ store }) {
      const history = await store();
      const property = fc.asyncProperty(conversations, (steps) => checkCompaction(history, steps));
      await fc.assert(property, { numRuns: 100 });
    },
  },
];

/** One thing that happens: to stream `stream`, or beside all of them. */
interface Step {
  readonly what: 'start' | 'part' | 'end' | 'torn' | 'message' | 'run' | 'update';
  readonly stream: number;
  readonly text: string;
}

const conversations: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom('start', 'part', 'part', 'part', 'end', 'end', 'torn', 'message', 'run', 'update'),
    stream: fc.nat(3),
    text: fc.string({ maxLength: 4 }),
  }),
  { maxLength: 60, size: 'max' },
) as fc.Arbitrary<readonly Step[]>;

function conversationOf(entries: readonly Entry[]): unknown {
  const { position: _, ...conversation } = entries.reduce(reduceConversation, emptyConversation);
  return conversation;
}

/** Plays the steps, compacting each message as soon as it is whole into one log and never into another. */
async function checkCompaction(history: HistoryStore, steps: readonly Step[]): Promise<void> {
  const log = await Log.create(history);
  const open = new Map<number, { id: string; start: number; text: string }>();
  const whole: StoredStream[] = [];
  for (const [i, { what, stream, text }] of steps.entries()) {
    const now = open.get(stream);
    const author = { user: stream % 2 === 0 ? null : 'ann' };
    const step = draftOf(what, now, whole.at(-1), i, text, author);
    if (step === undefined) continue;
    const position = await log.put(step);
    if (what === 'start') open.set(stream, { id: `m${i}`, start: position, text: '' });
    if (what === 'part' && now !== undefined) now.text += text;
    if ((what === 'end' || what === 'torn') && now !== undefined) {
      open.delete(stream);
      if (what === 'end') whole.push({ messageId: now.id, start: now.start, end: position });
    }
  }
  const before = await log.all();
  for (const extent of whole) await log.compact(extent);
  const after = await log.all();
  expect(conversationOf(after)).toEqual(conversationOf(before));
  const kept = new Set(after.map(({ position }) => position));
  const deleted = before.filter(({ position }) => !kept.has(position));
  expect(deleted.every(({ type }) => type === 'MESSAGE_START' || type === 'MESSAGE_PART')).toBe(true);
  expect(after).toEqual(before.filter(({ position }) => kept.has(position)));
  for (const { messageId, start, end } of whole)
    expect([messageId, kept.has(start), kept.has(end)]).toEqual([messageId, false, true]);
}

function draftOf(
  what: Step['what'],
  now: { id: string; start: number; text: string } | undefined,
  ended: StoredStream | undefined,
  i: number,
  text: string,
  author: { user: string | null },
): Draft | undefined {
  if (what === 'message') return draft({ payload: text, ...author });
  if (what === 'run') return draft({ user: null, type: 'RUN_STARTED', run_id: `r${i}`, payload: {} });
  if (what === 'start') return now === undefined ? messageStart(`m${i}`, author) : undefined;
  if (what === 'update') {
    return ended && draft({ type: 'MESSAGE_UPDATE', payload: { message_id: ended.messageId, text } });
  }
  if (now === undefined) return undefined;
  if (what === 'part') return messagePart(now.id, text, author);
  return messageEnd(now.id, now.start, what === 'end' ? now.text : undefined, author);
}

export const readLaws: readonly HistoryLaw[] = [...readingLaws, ...compactionLaws];
