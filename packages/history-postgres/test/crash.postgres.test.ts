// kill -9 in the middle of appends, while another store appends to the same log: what was settled is there, in its place,
// and nothing else is broken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HistoryStore, Outcome } from '@haip/protocol';
import { expect, test } from 'vitest';
import { postgresHistory } from '../src/index.ts';
import { draft } from './drafts.ts';
import { temporarySchemas, url } from './schemas.ts';

const RUNS = 20;
const schema = temporarySchemas()();
const program = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

interface Settled {
  readonly epoch?: string;
  readonly author: string;
  readonly id: string;
  readonly outcome: Outcome;
}

/** Kills a writer once it has settled so many appends. Gives everything it settled. */
async function settledBeforeKill(transaction: string, appends: number, settled: () => void): Promise<Settled[]> {
  const args = ['--conditions=@haip/source', program, url, schema, transaction];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines: Settled[] = [];
  if (child.stdout === null) throw new Error('the writer has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    // A line that the kill cut in two was not said.
    if (line.endsWith('}')) lines.push(JSON.parse(line));
    if (lines.length === 2) settled();
    if (lines.length === appends) child.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect(signal).toBe('SIGKILL');
  return lines;
}

async function expectAllThere(store: HistoryStore, transaction: string, lines: readonly Settled[]): Promise<void> {
  const [{ epoch } = { epoch: undefined }, ...settled] = lines;
  expect(settled.length).toBeGreaterThan(0);
  const page = await store.read(transaction, { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
  const entries = page?.entries ?? [];
  expect(page).toMatchObject({ epoch, first: 1, last: entries.length });
  expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
  for (const { author, id, outcome } of settled) {
    if (outcome.kind !== 'stored') throw new Error(`expected stored, got ${JSON.stringify(outcome)}`);
    expect(entries[outcome.position - 1]).toMatchObject({ id, user: author });
    expect(await store.find(transaction, author, id)).toMatchObject({ position: outcome.position });
  }
  for (const { type, bytes } of entries) expect(bytes?.length).toBe(type === 'AUDIO' ? 100 : undefined);
}

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
    const lines = await settledBeforeKill(transaction, 2 + Math.floor(Math.random() * 200), () => {
      appending = (async () => {
        while (!isOver) await append();
      })();
    });
    isOver = true;
    await appending;
    await append();
    await expectAllThere(store, transaction, [...lines, ...own]);
  }
  await store.close();
});
