// Runs every row of the bench for a moment, small: that it counts at all, not how fast it is.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { rows } from '../rows.ts';
import type { Summary } from '../table.ts';

const bench = join(import.meta.dirname, '../main.ts');

it('every row of the bench does work on both servers, and brings all its messages back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haip-bench-'));
  const file = join(folder, 'results.json');
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=@haip/source',
      bench,
      ...['--rounds', '1', '--ms', '20', '--most', '2', '--json', file],
    ]);
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
