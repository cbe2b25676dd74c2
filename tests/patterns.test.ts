// Every regular expression that runs on a peer's input must take time in step with its length. Proved by analysis of
// the pattern, not by a clock. What the demo's assistant looks for in a message is cut to a length before.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { root, sourceFiles, workspacePackages } from '../scripts/sources.ts';

interface Pattern {
  file: string;
  source: string;
  flags: string;
}

const files = [...workspacePackages().map(({ folder }) => `${folder}/src`), 'apps/demo/server'].flatMap(sourceFiles);
const patterns = files.filter((file) => !file.includes('/assistant/')).flatMap(patternsOf);

test.each(patterns)('A70: /$source/$flags in $file is linear', ({ source, flags }) => {
  expect(isLinear(source, flags)).toBe(true);
});

test('A70: the analysis tells a pattern that backtracks, and patterns are found', () => {
  expect(isLinear('^(a+)+$', '')).toBe(false);
  expect(isLinear('\\s*,\\s*', '')).toBe(false);
  expect(patterns.map(({ file }) => file)).toContain('packages/protocol/src/grammar.ts');
});

function isLinear(source: string, flags: string): boolean {
  const { status } = checkSync(source, flags.replace('v', 'u'), { timeout: 60_000 });
  return status === 'safe';
}

function patternsOf(file: string): Pattern[] {
  const found: Pattern[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { regex } = value as { regex?: { pattern: string; flags: string } };
    if (regex !== undefined) found.push({ file, source: regex.pattern, flags: regex.flags });
    for (const child of Object.values(value)) visit(child);
  };
  visit(parseSync(file, readFileSync(join(root, file), 'utf8')).program);
  return found;
}
