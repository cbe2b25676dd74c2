// One log, many ways to have read it: all give the same conversation.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reduceConversation } from '../src/index.ts';
import { anyLog, compacted, reduceAll, withMergedParts, withShortEnds } from './logs.ts';

const runs = { numRuns: 500 };

test('compaction of any ended streams changes no conversation [LOG-11]', () => {
  fc.assert(
    fc.property(anyLog, fc.infiniteStream(fc.boolean()), (log, choose) => {
      const chosen = log.streams.filter(() => choose.next().value);
      expect(reduceAll(compacted(log, chosen))).toEqual(reduceAll(log.entries));
    }),
    runs,
  );
});

test('a short END gives who saw every part what a long one gives who did not [READ-5]', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const whole = reduceAll(compacted(log, log.streams));
      expect(reduceAll(withShortEnds(log))).toEqual(whole);
      expect(reduceAll(log.entries)).toEqual(whole);
    }),
    runs,
  );
});

test('merged parts give what single ones give [READ-7]', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      expect(reduceAll(withMergedParts(log))).toEqual(reduceAll(log.entries));
    }),
    runs,
  );
});

test('who was there and who joins late, after compaction, see the same [TEXT-6]', () => {
  fc.assert(
    fc.property(anyLog, fc.nat(60), (log, left) => {
      const live = withShortEnds(log);
      const before = reduceAll(live.slice(0, left));
      const ended = log.streams.filter(({ end }) => end !== undefined && end <= left);
      const rest = compacted(log, ended).filter(({ position }) => position > left);
      expect(reduceAll(rest, before)).toEqual(reduceAll(compacted(log, log.streams)));
    }),
    runs,
  );
});

test('messages are in the order they began [READ-6]', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const positions = reduceAll(compacted(log, log.streams)).messages.map(({ position }) => position);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    }),
    runs,
  );
});

test('reducing changes no conversation that was given', () => {
  fc.assert(
    fc.property(anyLog, ({ entries }) => {
      const steps = entries.map((_, i) => reduceAll(entries.slice(0, i)));
      const before = structuredClone(steps);
      for (const [i, entry] of entries.entries()) if (steps[i]) reduceConversation(steps[i], entry);
      expect(steps).toEqual(before);
    }),
    { numRuns: 50 },
  );
});
