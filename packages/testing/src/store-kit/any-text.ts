// Whatever is in an id, a user or a label, it is text: to be tried with what means something to the store's own engine.

import assert from 'node:assert/strict';
import type { HistoryStore } from '@haip/protocol';
import { draft, recordOf, startOf } from './drafts.ts';

/**
 * Uses a text for everything that a caller may name, and leaves a transaction of that name with three entries.
 *
 * @throws AssertionError where the store gives back anything else.
 */
export async function assertKeepsText(store: HistoryStore, text: string): Promise<void> {
  const named = { starter: text, referenceId: text, tool: text, title: text, params: { [text]: text } };
  const record = recordOf(text, named);
  const start = draft({ id: text, user: text, type: 'TRANSACTION_START', payload: { [text]: text } });
  assert.deepEqual((await store.create(record, start)).created, true);
  const labels = { session: text, channel: text, run_id: text, thread_id: text, digest: text };
  const one = draft({ id: `${text} 2`, user: text, payload: text, ...labels });
  const subject = { key: `message:${text}`, step: 'open', owner: text } as const;
  const opening = draft({ user: text, type: 'MESSAGE_START', subject });
  await store.append(text, [one, opening]);
  const positions = [2, 3].map((position) => ({ kind: 'stored', position }));
  assert.deepEqual([one.outcome, opening.outcome], positions);

  assert.deepEqual(await store.get(text), record);
  const again = await store.create(record, startOf(record));
  assert.deepEqual([again.record, again.created], [record, false]);
  assert.deepEqual((await store.list(text)).transactions, [record]);
  assert.equal((await store.find(text, text, one.id))?.position, 2);
  const [entry] = (await store.read(text, { from: 2, to: 2 }))?.entries ?? [];
  assert.deepEqual([entry?.id, entry?.user, entry?.payload], [one.id, text, text]);
  assert.deepEqual([entry?.session, entry?.channel, entry?.run_id, entry?.thread_id], [text, text, text, text]);
  assert.ok(await store.lease(text, text, 1000), 'the lease was not given');
  assert.equal(await store.lease(text, `${text}?`, 1000), null);
  await store.revoke(text);
  await store.compact(text, { messageId: text, start: 3, end: 3 });
}
