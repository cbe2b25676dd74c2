// The README's example is this folder's, and it runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';

const textOf = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');

afterEach(() => {
  vi.restoreAllMocks();
});

test('the example of the README says what it prints', async () => {
  expect(textOf('../README.md')).toContain(`\`\`\`ts\n${textOf('readme.example.ts')}\`\`\``);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./readme.example.ts');
  expect(log.mock.calls).toEqual([[true], [36]]);
});
