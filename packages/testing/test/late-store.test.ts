import type { Draft, HistoryStore } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { lateStore, settle } from '../src/index.ts';

/** Just enough of a store to see what reaches it, and when. */
function recorder(): { store: HistoryStore; calls: string[] } {
  const calls: string[] = [];
  const store = {
    supports: { durable: false, shared: false },
    get: (transaction: string) => {
      calls.push(transaction);
      return null;
    },
    append: (transaction: string, drafts: readonly Draft[]) => {
      calls.push(transaction);
      for (const draft of drafts) draft.outcome = { kind: 'stored', position: 1 };
    },
  };
  return { store: store as unknown as HistoryStore, calls };
}

const draft = (): Draft => ({ id: 'a' }) as unknown as Draft;

describe('lateStore', () => {
  test('answers at once when nothing is late', () => {
    const { store, calls } = recorder();
    const late = lateStore(store, () => 0.99, { late: 0 });
    expect([late.get('t'), late.append('t', [draft()]), calls]).toEqual([null, undefined, ['t', 't']]);
  });

  test.each([
    ['done at once, told later', 0.3, 1],
    ['done later', 0.1, 0],
  ])('answers later when it is late: %s', async (_, chance, callsBefore) => {
    const { store, calls } = recorder();
    const late = lateStore(store, () => chance);
    const one = draft();
    const pending = late.append('t', [one]);
    expect(pending).toBeInstanceOf(Promise);
    expect(calls).toHaveLength(callsBefore);
    await pending;
    expect([calls.length, one.outcome]).toEqual([1, { kind: 'stored', position: 1 }]);
  });

  test('F25: failing before, it does nothing', async () => {
    const { store, calls } = recorder();
    const late = lateStore(store, () => 0.5, { failBefore: 1 });
    await expect(late.append('t', [draft()])).rejects.toThrow('before');
    await settle();
    expect(calls).toEqual([]);
  });

  test('F28: failing after the commit, it is done and the outcome is not told', async () => {
    const { store, calls } = recorder();
    const late = lateStore(store, () => 0.5, { failAfterCommit: 1 });
    const one = draft();
    await expect(late.append('t', [one])).rejects.toThrow('after');
    expect([calls, one.outcome]).toEqual([['t'], undefined]);
  });

  test('a knob turned later counts from then on', async () => {
    const { store } = recorder();
    const late = lateStore(store, () => 0.5, { late: 0 });
    expect(late.get('t')).toBeNull();
    late.failBefore = 1;
    await expect(late.get('t')).rejects.toThrow('get');
    late.failBefore = 0;
    expect(late.get('t')).toBeNull();
  });
});
