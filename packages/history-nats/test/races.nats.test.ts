// Several nodes at one log at once: one order, no hole, nothing twice, and nobody left behind.
import type { Draft, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { opener } from './streams.ts';

const { open, optionsOf } = opener({ windowSize: 100_000, maxBytes: 2 ** 30 });

async function twoNodes(): Promise<[HistoryStore, HistoryStore]> {
  const one = await open();
  const two = await open(optionsOf(one));
  await one.create(recordOf('chat'), startOf(recordOf('chat')));
  return [one, two];
}

/** Everything in the log, by one store. */
async function everything(store: HistoryStore): Promise<{ position: number; id: string }[]> {
  const all: { position: number; id: string }[] = [];
  for (;;) {
    const page = await store.read('chat', { from: all.length + 1, maxEntries: 2000, maxBytes: 2 ** 24 });
    if (page === null || page.entries.length === 0) return all;
    all.push(...page.entries.map(({ position, id }) => ({ position, id })));
  }
}

/** Each draft is in the log once, where its outcome says, and nothing else is. */
function expectExactly(all: readonly { position: number; id: string }[], drafts: readonly Draft[]): void {
  expect(all.map(({ position }) => position)).toEqual(all.map((_, i) => i + 1));
  expect(all.length).toBe(drafts.length + 1);
  for (const { id, outcome } of drafts) {
    if (outcome?.kind !== 'stored') throw new Error(`expected stored, got ${JSON.stringify(outcome)}`);
    expect(all[outcome.position - 1]?.id).toBe(id);
  }
}

test('F34: two nodes append 10,000 drafts each to one transaction at once: no hole, no duplicate', async () => {
  const nodes = await twoNodes();
  const ofNodes = await Promise.all(
    nodes.map(async (store) => {
      const drafts = Array.from({ length: 10_000 }, () => draft());
      // A hundred authors who each wait for their answer.
      const lanes = Array.from({ length: 100 }, (_, lane) => drafts.filter((_one, i) => i % 100 === lane));
      await Promise.all(
        lanes.map(async (lane) => {
          for (const one of lane) await store.append('chat', [one]);
        }),
      );
      return drafts;
    }),
  );
  for (const store of nodes) expectExactly(await everything(store), ofNodes.flat());
  for (const store of nodes) await store.close();
});

test('a node that writes now and then gets its turn beside one that never stops', async () => {
  const [busy, calm] = await twoNodes();
  const written: Draft[] = [];
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      const one = draft();
      written.push(one);
      await busy.append('chat', [one]);
    }
  })();
  const own = Array.from({ length: 200 }, () => draft({ user: 'bob' }));
  for (const one of own) await calm.append('chat', [one]);
  isOver = true;
  await writing;
  expectExactly(await everything(calm), [...written, ...own]);
  await busy.close();
  await calm.close();
});

test('F56: one reference id on several nodes at once makes one transaction', async () => {
  const one = await open();
  const nodes = [one, await open(optionsOf(one)), await open(optionsOf(one))];
  for (let round = 0; round < 20; round++) {
    const made = await Promise.all(
      nodes.map((store, i) => {
        const record = recordOf(`chat-${round}-${i}`, { referenceId: `reference-${round}` });
        return store.create(record, startOf(record));
      }),
    );
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ record }) => record.transaction)).size).toBe(1);
    const chosen = made[0]?.record.transaction ?? '';
    for (const store of nodes) expect(await store.head(chosen)).toMatchObject({ first: 1, last: 1 });
  }
  expect((await one.list('ann')).transactions).toHaveLength(20);
  for (const store of nodes) await store.close();
});

test('holders on several nodes that ask together: one gets the lease, and the others write nothing under an older fence', async () => {
  const nodes = await twoNodes();
  const granted = await Promise.all(nodes.map((store, i) => store.lease('chat', `node-${i}`, 60_000)));
  expect(granted.filter((lease) => lease !== null)).toHaveLength(1);
  const holder = granted[0] === null ? 1 : 0;
  const [mine, other] = [nodes[holder], nodes[1 - holder]] as [HistoryStore, HistoryStore];
  const fence = granted[holder]?.fence ?? 0;
  const [own, stale] = [draft({ user: null }), draft({ user: null })];
  await mine.append('chat', [own], fence);
  await other.append('chat', [stale], fence - 1);
  expect([own.outcome, stale.outcome]).toEqual([
    { kind: 'stored', position: 2 },
    { kind: 'refused', why: 'lease' },
  ]);
  for (const store of nodes) await store.close();
});
