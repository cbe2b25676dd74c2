// The README's example is this folder's, and it runs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import * as entry from '../src/index.ts';

const textOf = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');
const readme = textOf('../README.md');

afterEach(() => {
  vi.restoreAllMocks();
});

test('the example of the README says what it prints', async () => {
  expect(readme).toContain(`\`\`\`ts\n${textOf('readme.example.ts')}\`\`\``);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('./readme.example.ts');
  expect(log.mock.calls).toEqual([['Hello']]);
});

test('every value that the README names is exported', () => {
  const table = readme.slice(readme.indexOf('| part |'), readme.indexOf('`envelopeSchema`'));
  const named = [...table.matchAll(/`([a-z]\w+|Fault)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !(name in entry))).toEqual([]);
});
