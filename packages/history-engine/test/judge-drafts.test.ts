import { expect, test } from 'vitest';
import { judgeDrafts, OVERHEAD, onceKey, subjectKeys } from '../src/index.ts';
import { log, nothingKnown, piece, row } from './rows.ts';

const refused = (why: string): unknown => ({ kind: 'refused', why });
const stored = (position: number): unknown => ({ kind: 'stored', position });

test('stored drafts take the next positions, and the log says where it stands', () => {
  const state = log({ first: 3, last: 7, messages: 2, bytes: 10, frontAt: 5, lastAt: 6 });
  const { outcomes, stored: kept } = judgeDrafts(state, [row(), row()], undefined, nothingKnown(), 50);
  expect(outcomes).toEqual([8, 9].map(stored));
  expect(kept.map(({ position }) => position)).toEqual([8, 9]);
  expect(state).toMatchObject({
    first: 3,
    last: 9,
    messages: 4,
    bytes: 10 + 2 * (100 + OVERHEAD),
    frontAt: 5,
    lastAt: 50,
  });
});

test('a repeat is seen first, then the lease, then the end, then the subject', () => {
  const known = nothingKnown();
  known.keys.set(onceKey('ann', 'known'), { position: 4, digest: 'there' });
  const repeat = { kind: 'repeat', position: 4, digest: 'there' };
  const drafts = [row({ id: 'known' }), piece('part', 'm')];
  const ended = { last: 9, fence: 2, endedAt: 1 };
  expect(judgeDrafts(log(ended), drafts, 1, known, 0).outcomes).toEqual([repeat, refused('lease')]);
  expect(judgeDrafts(log(ended), drafts, 2, known, 0).outcomes).toEqual([repeat, refused('ended')]);
  expect(judgeDrafts(log({ fence: 2 }), drafts, 2, known, 0).outcomes).toEqual([repeat, refused('subject')]);
});

test('an id twice in one append is a repeat of the first; of two authors it is two', () => {
  const drafts = [row({ id: 'a' }), row({ id: 'a', digest: 'other' }), row({ id: 'a', author: 'bob' })];
  expect(judgeDrafts(log(), drafts, undefined, nothingKnown(), 0).outcomes).toEqual([
    stored(1),
    { kind: 'repeat', position: 1, digest: 'digest' },
    stored(2),
  ]);
});

test('a stream counts once, and its state says whether its end has the whole text', () => {
  const [state, known] = [log(), nothingKnown()];
  const pieces = [
    piece('open', 'm'),
    piece('part', 'm'),
    piece('end', 'm'),
    piece('open', 't'),
    piece('end', 't', { isWhole: false }),
  ];
  const { subjects, stored: kept } = judgeDrafts(state, pieces, undefined, known, 9);
  expect([...subjects].map(({ key, state: now, last, entries, at }) => ({ key, now, last, entries, at }))).toEqual([
    { key: 'message:m', now: 'whole', last: 3, entries: 3, at: 9 },
    { key: 'message:t', now: 'torn', last: 5, entries: 2, at: 9 },
  ]);
  expect(kept.map(({ stream }) => stream)).toEqual([...Array(3).fill('message:m'), ...Array(2).fill('message:t')]);
  expect(state.messages).toBe(2);
});

test('what belongs to something ends with it', () => {
  const call = (step: 'open' | 'end') => row({ type: 'TOOL_CALL', subject: { key: 'call:c', step } });
  const ask = row({ type: 'TOOL_UPDATE', subject: { key: 'approval:c', step: 'open', within: 'call:c' } });
  const word = row({ type: 'TOOL_UPDATE', subject: { key: 'approval:c', step: 'end' } });
  expect(subjectKeys([ask, word])).toEqual(['approval:c', 'call:c']);
  const { outcomes, stored: kept } = judgeDrafts(
    log(),
    [call('open'), ask, call('end'), word],
    undefined,
    nothingKnown(),
    0,
  );
  expect(outcomes).toEqual([stored(1), stored(2), stored(3), refused('subject')]);
  expect(kept.map(({ stream }) => stream)).toEqual([null, null, null]);
});

test('what is refused changes nothing', () => {
  const [state, known] = [log({ fence: 1 }), nothingKnown()];
  const plan = judgeDrafts(state, [row(), piece('open', 'm')], 7, known, 5);
  expect([plan.stored, plan.subjects.size, known.keys.size, known.subjects.size]).toEqual([[], 0, 0, 0]);
  expect(state).toEqual(log({ fence: 1 }));
});
