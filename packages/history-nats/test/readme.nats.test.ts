// The program in the README is run as it stands, in a process of its own.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, onTestFinished, test } from 'vitest';
import { servers } from './streams.ts';

test('the program in the README prints what it says, and makes its streams', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const program = /<!-- run: .*readme.nats.test.ts -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const promised = /console\.log\(.*\/\/ (.*)/.exec(program)?.[1];
  expect(promised).toBeTypeOf('string');
  // On the tests' server under a name of its own, and beside this file, so that the package is found.
  const name = `test-readme-${process.pid}`;
  const there = program.replace("'127.0.0.1:4222', name: 'haip'", `${JSON.stringify(servers)}, name: '${name}'`);
  expect(there).not.toBe(program);
  const file = fileURLToPath(new URL(`./readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, there);
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file]);

  expect(stdout).toBe(`${promised}\n`);
  const connection = await connect({ servers });
  const { streams } = await jetstreamManager(connection);
  // Each is there to be deleted.
  expect(await Promise.all([name, `${name}_index`].map((stream) => streams.delete(stream)))).toEqual([true, true]);
  await connection.close();
});
