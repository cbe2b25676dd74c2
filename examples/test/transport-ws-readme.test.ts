// The example of the transport's README is run as it stands, in a process of its own.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test('the example in the README of @haip/transport-ws prints what it says', async () => {
  const readme = readFileSync(new URL('../../packages/transport-ws/README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  // Beside this file, so that the packages are found; on another port, as the machine may use 8082.
  const file = fileURLToPath(new URL(`./transport-ws-readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, example.replaceAll('8082', String(40_000 + (process.pid % 20_000))));
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file]);

  expect(stdout).toBe('Hello\n');
});
