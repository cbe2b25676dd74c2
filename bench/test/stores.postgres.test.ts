// Runs the bench of stores on PostgreSQL for a moment: that it measures at all, not how fast it is.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

it('appends, replays and bytes are told of the store and of a bare loop', async () => {
  const file = join(import.meta.dirname, '..', 'stores.ts');
  const small = ['--rounds', '1', '--ms', '20', '--transactions', '3', '--entries', '500'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=@haip/source',
    file,
    'postgres',
    ...small,
  ]);
  for (const what of ['appends, one alone', 'appends, 3 transactions at once', 'replayed entries']) {
    expect(stdout.match(new RegExp(`${what}[^│]*│ +[0-9.]+ +│ +[0-9.]+ +│ +[0-9.]+ +│`, 'g'))).toHaveLength(2);
  }
  expect(stdout).toMatch(/^[1-9][0-9]+ bytes stored for each message/m);
});
