import type { Head, HistoryPage, HistoryStore, TransactionPage } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { Generations } from '../src/generations.ts';
import { memoryHistory } from '../src/index.ts';
import { create, draft, piece } from './drafts.ts';

const DAY = 86_400_000;

function openStore(options: Parameters<typeof memoryHistory>[0] = {}): HistoryStore {
  const store = memoryHistory({ clock: fakeClock(), ...options });
  create(store, 't');
  return store;
}

const positions = (store: HistoryStore): number[] =>
  (store.read('t', { from: 1, maxEntries: 1e6, maxBytes: 1e9 }) as HistoryPage).entries.map(({ position }) => position);

describe('every answer is given at once', () => {
  test('append, read, head and find return no promise', () => {
    const store = openStore();
    expect(store.append('t', [draft()])).toBeUndefined();
    for (const answer of [store.read('t', { from: 1 }), store.head('t'), store.find('t', 'ann', 'x'), store.get('t')]) {
      expect(answer).not.toBeInstanceOf(Promise);
    }
  });
});

describe('maxBytes', () => {
  test('A32: a log never takes more than maxBytes, and only a prefix goes', () => {
    const store = openStore({ maxBytes: 100_000 });
    for (let i = 0; i < 100; i++) void store.append('t', [draft({ size: 9_800 })]);
    expect(positions(store)).toEqual([92, 93, 94, 95, 96, 97, 98, 99, 100, 101]);
  });

  test('the newest entry stays, however large', () => {
    const store = openStore({ maxBytes: 1024 });
    void store.append('t', [draft(), draft({ size: 1_000_000 })]);
    expect(positions(store)).toEqual([3]);
  });

  test('a stream that somebody holds open does not keep a log from being bounded', () => {
    const store = openStore({ maxBytes: 100_000 });
    void store.append('t', [piece('open', 'm')]);
    for (let i = 0; i < 5000; i++) void store.append('t', [piece('part', 'm', { size: 1 }), draft()]);
    expect(positions(store).length).toBeLessThan(1000);
    const end = piece('end', 'm');
    void store.append('t', [end]);
    expect(end.outcome?.kind).toBe('stored');
    for (let i = 0; i < 2000; i++) void store.append('t', [draft({ size: 1 })]);
    expect(positions(store).length).toBeLessThanOrEqual(1000);
  });
});

describe('what nobody touches', () => {
  test('a transaction goes 30 days after its last entry, its list entry and reference with it', async () => {
    const clock = fakeClock();
    const store = openStore({ clock });
    void store.append('t', [draft({ type: 'TRANSACTION_JOIN', user: 'bob' })]);
    await clock.advance(29 * DAY);
    create(store, 'busy', 'cleo');
    const list = (user: string) => (store.list(user) as TransactionPage).transactions.length;
    expect([list('ann'), list('bob')]).toEqual([1, 1]);
    await clock.advance(DAY);
    for (let i = 0; i < 100; i++) void store.append('busy', [draft()]);
    expect([store.get('t'), store.read('t', { from: 1 }), list('ann'), list('bob')]).toEqual([null, null, 0, 0]);
    create(store, 't');
    expect((store.head('t') as Head).last).toBe(1);
  });

  test('a transaction in use stays for as long as it is used', async () => {
    const clock = fakeClock();
    const store = openStore({ clock });
    for (let day = 0; day < 100; day++) {
      await clock.advance(DAY);
      void store.append('t', [draft()]);
    }
    expect((store.head('t') as Head).last).toBe(101);
  });
});

describe('ids that are remembered', () => {
  test('do not outlive their window and 15 minutes by much', async () => {
    const clock = fakeClock();
    const store = openStore({ clock, windowTime: '1m' });
    const first = draft();
    void store.append('t', [first]);
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(60_000);
      void store.append('t', [draft()]);
    }
    expect(store.find('t', 'ann', first.id)).toBeNull();
  });

  test('go from a transaction that lies idle while others are busy', async () => {
    const clock = fakeClock();
    const store = openStore({ clock });
    const first = draft();
    void store.append('t', [first]);
    create(store, 'busy');
    for (let hour = 0; hour < 4; hour++) {
      await clock.advance(3_600_000);
      for (let i = 0; i < 100; i++) void store.append('busy', [draft()]);
    }
    expect(store.find('t', 'ann', first.id)).toBeNull();
  });

  test("the agent's are forgotten once they are far behind", () => {
    const store = openStore();
    const again = (id: string) => {
      const one = draft({ id, user: null });
      void store.append('t', [one]);
      return one.outcome?.kind;
    };
    for (let i = 0; i < 5000; i++) again(`agent-${i}`);
    expect([again('agent-0'), again('agent-4999'), again('agent-4000')]).toEqual(['stored', 'repeat', 'repeat']);
  });
});

describe('Generations', () => {
  const known = ({ old, young }: Generations<Map<string, unknown>>): string[] => [
    ...(old?.keys() ?? []),
    ...young.keys(),
  ];

  test('never forget what is within the window, or young', () => {
    const generations = new Generations(() => new Map<string, number>());
    generations.young.set('a', 1);
    generations.turn({ first: 1, last: 10 }, 0, 100);
    generations.young.set('b', 2);
    generations.turn({ first: 10, last: 20 }, 1000, 1100);
    expect(known(generations)).toEqual(['a', 'b']);
    generations.turn({ first: 11, last: 20 }, 99, 1100);
    expect(known(generations)).toEqual(['a', 'b']);
    generations.turn({ first: 11, last: 20 }, 100, 1100);
    expect(known(generations)).toEqual(['b']);
  });

  test('what must be kept moves on from one to the next', () => {
    const generations = new Generations(() => new Map<string, string>());
    generations.young.set('a', 'open').set('b', 'ended');
    for (let i = 1; i <= 4; i++) {
      generations.young.set(`c${i}`, 'ended');
      generations.turn({ first: 100 * i, last: 100 * i }, i, i, (old, young) => {
        for (const [key, state] of old) if (state === 'open') young.set(key, state);
      });
    }
    expect(known(generations)).toContain('a');
    expect(known(generations)).not.toContain('b');
  });
});
