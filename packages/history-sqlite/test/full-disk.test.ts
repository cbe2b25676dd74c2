import type { Draft, HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { sqliteHistory } from '../src/index.ts';
import { temporaryFiles } from './files.ts';

const nextFile = temporaryFiles();
const large = (): Draft => draft({ payload: 'x'.repeat(20_000), size: 20_000 });

/** Appends until the store refuses. Gives what it refused, and why. */
async function fill(store: HistoryStore): Promise<{ refused: Draft; error: Error; stored: number }> {
  for (let stored = 1; ; stored++) {
    const refused = large();
    try {
      await store.append('chat', [refused]);
    } catch (error) {
      return { refused, error: error as Error, stored };
    }
  }
}

test('F27: a store that is full refuses what may be tried again, goes on reading, and takes it once there is room', async () => {
  const path = nextFile();
  const record = recordOf('chat');
  const store = sqliteHistory({ path, maxFileBytes: 500_000 });
  await store.create(record, startOf(record));
  const { refused, error, stored } = await fill(store);
  expect(error.message).toMatch(/full.*the same drafts may be tried again/);
  expect([refused.outcome, stored > 10]).toEqual([undefined, true]);
  const positions = async (from: HistoryStore): Promise<number[]> =>
    ((await from.read('chat', { from: 1, maxBytes: 1e9 }))?.entries ?? []).map(({ position }) => position);
  const kept = Array.from({ length: stored }, (_, i) => i + 1);
  expect(await positions(store)).toEqual(kept);
  expect(await store.find('chat', 'ann', refused.id)).toBeNull();
  await expect((async () => store.append('chat', [refused]))()).rejects.toThrow(/full/);
  await store.close();

  const roomier = sqliteHistory({ path, maxFileBytes: 1_000_000 });
  await roomier.append('chat', [refused]);
  expect(refused.outcome).toEqual({ kind: 'stored', position: stored + 1 });
  expect(await positions(roomier)).toEqual([...kept, stored + 1]);
  await roomier.close();
});
