// docs/limits.md stays true: each limit has its line, with the default that the code has and a test that is there.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLimits } from '@haip/server-core';
import { expect, test } from 'vitest';
import { root } from '../scripts/sources.ts';

const text = readFileSync(join(root, 'docs/limits.md'), 'utf8');
const lines = [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, option = '', value = '', , title = '']) => ({ option, value: Number(value.replaceAll(',', '')), title }),
);

test('docs/limits.md has each limit of the server once, with its default', () => {
  expect(lines.map(({ option, value }) => [option, value])).toEqual(Object.entries(defaultLimits));
});

test('docs/limits.md names tests that are there', () => {
  const tests = globSync('packages/{server,client}-core/test/*.test.ts', { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');

  expect(lines.filter(({ title }) => !tests.includes(title)).map(({ option, title }) => `${option}: ${title}`)).toEqual(
    [],
  );
});
