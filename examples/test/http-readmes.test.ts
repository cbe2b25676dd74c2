// The examples of the HTTP transports' READMEs are run as they stand, each in a process of its own.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test.each([
  ['transport-sse', '8083'],
  ['transport-http', '8084'],
])('the example in the README of @haip/%s prints what it says', async (name, port) => {
  const readme = readFileSync(new URL(`../../packages/${name}/README.md`, import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  // Beside this file, so that the packages are found; on another port, as the machine may use this one.
  const file = fileURLToPath(new URL(`./${name}-readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, example.replaceAll(port, String(Number(port) + (process.pid % 20_000))));
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file]);

  expect(stdout).toBe('Hello\n');
});
