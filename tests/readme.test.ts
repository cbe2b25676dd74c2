// The README's example is run as it stands, in a process of its own, as a reader would.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

test('the example on the first screen of the README prints what it says', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const promised = /console\.log\(message\.text\); \/\/ (.*)/.exec(example)?.[1];
  expect(promised).toBeTypeOf('string');
  // Beside this file, so that the packages are found; on a free port, as the machine may use 8081.
  const file = fileURLToPath(new URL(`./readme-example-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, example.replaceAll('8081', String(20_000 + (process.pid % 20_000))));
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file], {
    timeout: 15_000,
  });

  expect(stdout).toBe(`${promised}\n`);
}, 20_000);
