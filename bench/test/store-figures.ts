// Runs the bench of one store for a moment: that it measures at all, not how fast it is.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';

export async function expectFigures(store: string): Promise<void> {
  const file = join(import.meta.dirname, '..', 'stores.ts');
  // In memory so many messages are more than all that the collector finds elsewhere meanwhile: code, too, is memory.
  const small = ['--rounds', '1', '--ms', '20', '--transactions', '3', '--streams', '2', '--entries', '5000'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@haip/source',
    '--disable-warning=ExperimentalWarning',
    file,
    store,
    ...small,
  ]);
  const titles = [
    'appends, one alone',
    'appends, 3 transactions at once',
    'tokens, 2 streams of 50 a second',
    'replayed',
  ];
  for (const title of titles) {
    const lines = stdout.match(new RegExp(`${title}[^│]*│ +[0-9.e+]+ +│ +[0-9.]+ +│ +[0-9.]+ +│`, 'g'));
    expect(lines, `${title} in ${stdout}`).toHaveLength(2);
  }
  expect(stdout).toMatch(/^[1-9][0-9]+ bytes stored for each message/m);
}
