// kill -9 in the middle of appends: what was settled is there, in its place, and nothing else is broken.

import { assertAllThere, draft, settledBeforeKill } from '@haip/testing/store-kit';
import { expect, test } from 'vitest';
import { sqliteHistory } from '../src/index.ts';
import { temporaryFiles } from './files.ts';

const RUNS = 20;
const nextFile = temporaryFiles();
const program = new URL('./crash-writer.ts', import.meta.url);

test(`F23: killed in the middle of appends, what was settled is there, ${RUNS} times`, {
  timeout: 240_000,
}, async () => {
  for (let run = 0; run < RUNS; run++) {
    const path = nextFile();
    const lines = await settledBeforeKill(program, [path, 'chat'], 2 + Math.floor(Math.random() * 200));
    const store = sqliteHistory({ path, windowSize: 1_000_000, maxBytes: 2 ** 30 });
    await assertAllThere(store, 'chat', lines);
    const one = draft();
    await store.append('chat', [one]);
    expect(one.outcome?.kind).toBe('stored');
    await store.close();
  }
});
