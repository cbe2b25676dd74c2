import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { draft, recordOf, startOf } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { sqliteHistory } from '../src/index.ts';
import { temporaryFiles } from './files.ts';

const nextFile = temporaryFiles();

test('a work that cannot be written, or not even sent, fails alone, and those beside it are stored', async () => {
  const store = sqliteHistory({ path: nextFile() });
  const record = recordOf('chat');
  await store.create(record, startOf(record));
  const drafts = [draft(), draft({ size: {} as never }), draft(), draft({ size: Symbol as never }), draft()];
  const results = await Promise.allSettled(drafts.map(async (one) => store.append('chat', [one])));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(drafts.map(({ outcome }) => outcome?.kind)).toEqual(['stored', undefined, 'stored', undefined, 'stored']);
  expect(await store.head('chat')).toMatchObject({ first: 1, last: 4 });
  await store.close();
});

test('a thread that ends by itself is replaced; what it had in hand rejects and may be tried again', async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker): number => threads.push(thread);
  process.on('worker', note);
  const store = sqliteHistory({ path: nextFile() });
  const record = recordOf('chat');
  const first = startOf(record);
  const creating = store.create(record, first);
  while (threads.length === 0) await setImmediate();
  await threads[0]?.terminate();
  await expect((async () => creating)()).rejects.toThrow(/could not be written.*tried again/);
  expect(await store.create(record, first)).toMatchObject({ record });
  expect(threads).toHaveLength(2);
  await store.close();
  process.off('worker', note);
});

test('everything that was begun before a close is stored, and a store that wrote nothing closes too', async () => {
  const path = nextFile();
  const store = sqliteHistory({ path });
  const record = recordOf('chat');
  const drafts = Array.from({ length: 50 }, () => draft());
  const begun = [store.create(record, startOf(record)), ...drafts.map((one) => store.append('chat', [one]))];
  await store.close();
  await Promise.all(begun);
  const again = sqliteHistory({ path });
  expect(await again.head('chat')).toMatchObject({ first: 1, last: 51 });
  await again.close();
});
