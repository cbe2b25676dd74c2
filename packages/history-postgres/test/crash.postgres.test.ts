// kill -9 in the middle of appends, while another store appends to the same log: what was settled is there, in its place,
// and nothing else is broken.
import type { Outcome } from '@haip/protocol';
import { assertAllThere, draft, type Settled, settledBeforeKill } from '@haip/testing/store-kit';
import { test } from 'vitest';
import { postgresHistory } from '../src/index.ts';
import { temporarySchemas, url } from './schemas.ts';

const RUNS = 20;
const schema = temporarySchemas()();
const program = new URL('./crash-writer.ts', import.meta.url);

test(`F23: killed in the middle of appends, what was settled is there, ${RUNS} times, and others go on at once`, {
  timeout: 240_000,
}, async () => {
  const store = postgresHistory({ connectionString: url, schema, windowSize: 1_000_000, maxBytes: 2 ** 30 });
  for (let run = 0; run < RUNS; run++) {
    const transaction = `chat-${run}`;
    const own: Settled[] = [];
    let isOver = false;
    let appending: Promise<void> = Promise.resolve();
    const append = async (): Promise<void> => {
      const one = draft({ user: 'here' });
      await store.append(transaction, [one]);
      own.push({ author: 'here', id: one.id, outcome: one.outcome as Outcome });
    };
    const writing = [url, schema, transaction];
    const lines = await settledBeforeKill(program, writing, 2 + Math.floor(Math.random() * 200), (said) => {
      if (said !== 2) return;
      appending = (async () => {
        while (!isOver) await append();
      })();
    });
    isOver = true;
    await appending;
    await append();
    await assertAllThere(store, transaction, [...lines, ...own]);
  }
  await store.close();
});
