// kill -9 in the middle of appends: what was settled is there, in its place, and nothing else is broken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HistoryStore, Outcome } from '@haip/protocol';
import { expect, test } from 'vitest';
import { draft } from './drafts.ts';
import { opener, servers } from './streams.ts';

const RUNS = 20;
const { open, optionsOf } = opener({ windowSize: 1_000_000, maxBytes: 2 ** 30 });
const program = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

interface Settled {
  readonly epoch?: string;
  readonly author: string;
  readonly id: string;
  readonly outcome: Outcome;
}

/** Kills a writer once it has settled so many drafts. Gives everything it settled. */
async function settledBeforeKill(name: string, transaction: string, drafts: number): Promise<Settled[]> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@haip/source', program, servers, name, transaction],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const lines: Settled[] = [];
  if (child.stdout === null) throw new Error('the writer has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    // A line that the kill cut in two was not said.
    if (line.endsWith('}')) lines.push(JSON.parse(line));
    if (lines.length === drafts) child.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect(signal).toBe('SIGKILL');
  return lines;
}

async function expectAllThere(store: HistoryStore, transaction: string, lines: readonly Settled[]): Promise<void> {
  const [{ epoch } = { epoch: undefined }, ...settled] = lines;
  expect(settled.length).toBeGreaterThan(0);
  const head = await store.head(transaction);
  expect(head).toMatchObject({ epoch, first: 1 });
  const page = await store.read(transaction, { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
  const entries = page?.entries ?? [];
  expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => i + 1));
  expect(entries.length).toBe(head?.last);
  for (const { author, id, outcome } of settled) {
    if (outcome.kind !== 'stored') throw new Error(`expected stored, got ${JSON.stringify(outcome)}`);
    expect(entries[outcome.position - 1]).toMatchObject({ id, user: author });
    expect(await store.find(transaction, author, id)).toMatchObject({ position: outcome.position });
  }
  for (const { type, bytes } of entries) expect(bytes?.length).toBe(type === 'AUDIO' ? 1000 : undefined);
}

test(`F23: a node killed in the middle of appends, ${RUNS} times: what was settled is there, and others go on in its log`, {
  timeout: 240_000,
}, async () => {
  const beside = await open();
  const name = optionsOf(beside).name ?? '';
  for (let run = 0; run < RUNS; run++) {
    const chat = `chat-${run}`;
    const lines = await settledBeforeKill(name, chat, 2 + Math.floor(Math.random() * 300));
    const store = run % 2 === 0 ? beside : await open(optionsOf(beside));
    // Of one that was created in the moment of the kill nobody was told.
    await expectAllThere(store, chat, lines);
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
