import type { Draft, HistoryStore, Outcome } from '@haip/protocol';
import { expect, test } from 'vitest';
import { type AppendWork, type HistoryEngine, historyOver, type Work } from '../src/index.ts';

function draft(id: string, size = 1): Draft {
  const fields = { user: 'ann', session: 's', ts: 1, channel: 'USER', type: 'MESSAGE', digest: 'd' };
  return { ...fields, id, payload: 'x'.repeat(size), size };
}

/** An engine whose commits a test lets through; each draft is stored at position 1. */
function held(engine: Partial<HistoryEngine>) {
  const commits: { works: readonly Work[]; done: () => void }[] = [];
  const no = (): never => {
    throw new Error('not asked here');
  };
  const rest = { get: no, list: no, find: no, read: no, head: no, heads: no, watch: no, notify: no, listen: no };
  const history = historyOver({
    ...rest,
    supports: { durable: false, shared: false },
    commit: (works) =>
      new Promise((resolve) => {
        const stored: Outcome = { kind: 'stored', position: 1 };
        const answers = works.map((work) => (work as AppendWork).rows.map(() => stored));
        commits.push({ works, done: () => resolve(answers) });
      }),
    mayBeOfOne: () => false,
    close: async () => {},
    ...engine,
  });
  const idsOf = ({ works }: { works: readonly Work[] }) =>
    works.flatMap((work) => (work as AppendWork).rows.map(({ id }) => id));
  return { history, commits, idsOf };
}

async function append(history: HistoryStore, transaction: string, one: Draft): Promise<void> {
  await history.append(transaction, [one]);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('works of one lane go one group at a time; no lane waits for another', async () => {
  const { history, commits, idsOf } = held({ laneOf: (work) => (work as AppendWork).transaction });
  const appends = [append(history, 'slow', draft('a')), append(history, 'quick', draft('b'))];
  await turn();
  expect(commits.map(idsOf)).toEqual([['a'], ['b']]);
  appends.push(append(history, 'slow', draft('c')), append(history, 'quick', draft('d')));
  await turn();
  expect(commits).toHaveLength(2);
  commits[1]?.done();
  await appends[1];
  await turn();
  expect(commits.map(idsOf)).toEqual([['a'], ['b'], ['d']]);
  let isClosed = false;
  const closing = Promise.resolve(history.close()).then(() => {
    isClosed = true;
  });
  commits[2]?.done();
  await turn();
  expect(isClosed).toBe(false);
  commits[0]?.done();
  await turn();
  expect(commits.map(idsOf)).toEqual([['a'], ['b'], ['d'], ['c']]);
  commits[3]?.done();
  await Promise.all([...appends, closing]);
});

test('without lanes all go together, and a group takes no more after so many bytes', async () => {
  const { history, commits, idsOf } = held({ mostGroupBytes: 1000 });
  const appends = ['a', 'b', 'c', 'd'].map((id) => append(history, id, draft(id, 500)));
  await turn();
  expect(commits.map(idsOf)).toEqual([['a', 'b']]);
  commits[0]?.done();
  await turn();
  expect(commits.map(idsOf)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  commits[1]?.done();
  await Promise.all(appends);
});
