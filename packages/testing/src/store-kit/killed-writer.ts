// Kills a writer in the middle of appends, and compares what it was told with what is there.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HistoryStore, Outcome } from '@haip/protocol';

/** What a writer was told of one draft; its first line has the epoch of the log instead. */
export interface Settled {
  readonly epoch?: string;
  readonly author: string;
  readonly id: string;
  readonly outcome: Outcome;
}

/**
 * Starts a program that calls `writeForEver`, and gives what it settles, line by line, until it is killed.
 *
 * @param started gets the process, to kill it.
 * @throws AssertionError when it ends by itself.
 */
export async function* settledBy(
  program: URL,
  args: readonly string[],
  started: (writer: ChildProcess) => void,
): AsyncGenerator<Settled> {
  const writer = spawn(process.execPath, ['--conditions=@haip/source', fileURLToPath(program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(writer, 'exit');
  started(writer);
  for await (const line of createInterface({ input: writer.stdout })) {
    // A line that the kill cut in two was not said.
    if (line.endsWith('}')) yield JSON.parse(line) as Settled;
  }
  assert.deepEqual(await ended, [null, 'SIGKILL']);
}

/**
 * Kills a writer once it has settled so many drafts. Gives everything it settled.
 *
 * @param said called with how many lines there are, after each.
 */
export async function settledBeforeKill(
  program: URL,
  args: readonly string[],
  drafts: number,
  said: (lines: number) => void = () => {},
): Promise<Settled[]> {
  const lines: Settled[] = [];
  let writer: ChildProcess | undefined;
  for await (const line of settledBy(program, args, (started) => (writer = started))) {
    said(lines.push(line));
    if (lines.length === drafts) writer?.kill('SIGKILL');
  }
  return lines;
}

export interface ThereOptions {
  /** How long each AUDIO is. Default 100. */
  readonly audioBytes?: number;
  /** Whether what was tried again may have been stored the first time. Default false. */
  readonly mayRepeat?: boolean;
}

/** @throws AssertionError unless all that was settled is in the log, in its place, and the log is whole. */
export async function assertAllThere(
  store: HistoryStore,
  transaction: string,
  lines: readonly Settled[],
  { audioBytes = 100, mayRepeat = false }: ThereOptions = {},
): Promise<void> {
  const [{ epoch } = { epoch: undefined }, ...settled] = lines;
  assert.ok(settled.length > 0, 'nothing was settled');
  const head = await store.head(transaction);
  const page = await store.read(transaction, { from: 1, maxEntries: 1e6, maxBytes: 1e9 });
  const entries = page?.entries ?? [];
  const whole = [epoch, 1, entries.length];
  assert.deepEqual([head?.epoch, head?.first, head?.last], whole);
  assert.deepEqual([page?.epoch, page?.first, page?.last], whole);
  assert.deepEqual(
    entries.map(({ position }) => position),
    entries.map((_, i) => i + 1),
  );
  for (const { author, id, outcome } of settled) {
    assert.ok(
      outcome.kind === 'stored' || (mayRepeat && outcome.kind === 'repeat'),
      `expected a position, got ${outcome.kind}`,
    );
    const entry = entries[outcome.position - 1];
    assert.deepEqual([entry?.id, entry?.user], [id, author]);
    assert.equal((await store.find(transaction, author, id))?.position, outcome.position);
  }
  for (const { type, bytes } of entries) assert.equal(bytes?.length, type === 'AUDIO' ? audioBytes : undefined);
}
