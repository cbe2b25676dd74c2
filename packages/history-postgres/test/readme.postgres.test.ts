// The program in the README is run as it stands, in a process of its own.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { sql, temporarySchemas, url } from './schemas.ts';

const schema = temporarySchemas()();

test('the program in the README prints what it says, and makes its tables', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const program = /<!-- run: .*readme.postgres.test.ts -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const promised = /console\.log\(.*\/\/ (.*)/.exec(program)?.[1];
  expect(promised).toBeTypeOf('string');
  // In the tests' database, and beside this file, so that the package is found.
  const there = program.replace("'postgres://localhost/chat'", `${JSON.stringify(url)}, schema: '${schema}'`);
  expect(there).not.toBe(program);
  const file = fileURLToPath(new URL(`./readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, there);
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file]);

  expect(stdout).toBe(`${promised}\n`);
  expect(await sql(`SELECT version FROM "${schema}".meta`)).toEqual([{ version: 1 }]);
});
