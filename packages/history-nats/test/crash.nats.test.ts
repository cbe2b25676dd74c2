// kill -9 in the middle of appends: what was settled is there, in its place, and nothing else is broken.

import { assertAllThere, draft, settledBeforeKill } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { opener, servers } from './streams.ts';

const RUNS = 20;
const { open, optionsOf } = opener({ windowSize: 1_000_000, maxBytes: 2 ** 30 });
const program = new URL('./crash-writer.ts', import.meta.url);

test(`F23: a node killed in the middle of appends, ${RUNS} times: what was settled is there, and others go on in its log`, {
  timeout: 240_000,
}, async () => {
  const beside = await open();
  const name = optionsOf(beside).name ?? '';
  for (let run = 0; run < RUNS; run++) {
    const chat = `chat-${run}`;
    const lines = await settledBeforeKill(program, [servers, name, chat], 2 + Math.floor(Math.random() * 300));
    const store = run % 2 === 0 ? beside : await open(optionsOf(beside));
    // Of one that was created in the moment of the kill nobody was told.
    await assertAllThere(store, chat, lines, { audioBytes: 1000 });
    const authors = new Set(lines.slice(1).map(({ author }) => author));
    for (const author of authors) {
      const { transactions } = await store.list(author);
      expect(transactions.map(({ transaction }) => transaction)).toContain(chat);
    }
    const one = draft();
    await store.append(chat, [one]);
    expect(one.outcome?.kind).toBe('stored');
    if (store !== beside) await store.close();
  }
  await beside.close();
});
