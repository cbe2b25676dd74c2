// The programs in the README of @haip/testing are run as they stand, each in a process of its own.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const readme = readFileSync(new URL('../packages/testing/README.md', import.meta.url), 'utf8');
const programs = [...readme.matchAll(/<!-- run: tests\/testing-readme.test.ts -->\n```ts\n([\s\S]*?)```/g)].map(
  ([, program = '']) => program,
);

test.each(programs.map((program, index) => ({ program, index })))(
  'program $index in the README of @haip/testing prints what it says',
  async ({ program, index }) => {
    const promised = /console\.log\(.*\/\/ (.*)/.exec(program)?.[1];
    // Beside this file, so that the packages are found.
    const file = fileURLToPath(new URL(`./testing-readme-${index}-${process.pid}.ts`, import.meta.url));
    writeFileSync(file, program);
    onTestFinished(() => rmSync(file, { force: true }));

    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file], {
      timeout: 15_000,
    });

    expect(stdout).toBe(`${promised}\n`);
  },
  20_000,
);

test('there are programs to run', () => {
  expect(programs.length).toBeGreaterThan(0);
});
