// Runs every row of the bench for a moment, small: that it counts at all, not how fast it is.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { rows } from '../rows.ts';
import type { Summary } from '../table.ts';

/** Runs a program of the bench, and gives what it prints. */
async function run(program: string, ...args: string[]): Promise<string> {
  const file = join(import.meta.dirname, '..', program);
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file, ...args]);
  return stdout;
}

it('every row of the bench does work on both servers, and brings all its messages back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haip-bench-'));
  const file = join(folder, 'results.json');
  try {
    const stdout = await run('main.ts', '--rounds', '1', '--ms', '20', '--most', '2', '--json', file);
    const results = JSON.parse(readFileSync(file, 'utf8')) as Summary[];
    expect(results).toHaveLength(rows.flatMap(({ figures }) => figures).length);
    for (const { transport, title, ratio, bare, haip } of results) {
      expect(stdout).toContain(`${transport}: ${title}`);
      for (const { perSecond, value } of [bare, haip]) {
        expect(perSecond, `${transport}: ${title}`).toBeGreaterThan(0);
        expect(value, `${transport}: ${title}`).not.toBeNull();
      }
      expect(ratio.median, `${transport}: ${title}`).not.toBeNull();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('what a message costs is told for every transport', async () => {
  const stdout = await run('costs.ts', '--ms', '20', '--times', '1');
  for (const transport of ['websocket', 'sse', 'http']) {
    const [line = ''] = stdout.match(new RegExp(`'${transport}'.*`)) ?? [];
    const figures = line.match(/\d+(\.\d+)?/g) ?? [];
    expect(figures.filter((figure) => Number(figure) > 0).length, line).toBeGreaterThanOrEqual(6);
  }
});

it('how cost grows is told for connections, readers and each length of history', async () => {
  const small = ['--ms', '20', '--connections', '2', '--readers', '2', '--entries', '100,200'];
  const stdout = await run('scaling.ts', ...small);
  const figures = stdout.split('\n').filter((line) => /^\| (memory|SQLite|\d+) /.test(line));
  expect(figures).toHaveLength(6);
  for (const line of figures) expect(line).not.toMatch(/NaN|Infinity|undefined/);
});
