// The example of the client's README is run as it stands, in a process of its own, against a server that is there.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer } from '@haip/server-core';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, onTestFinished, test } from 'vitest';

test('the example in the README of @haip/client-core prints what it says', async () => {
  const server = new HAIPServer({ history: memoryHistory() });
  server.authenticate(({ token }) =>
    token === 'Bearer TOKEN' ? { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 } : null,
  );
  server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
  const http = createServer();
  acceptWebSockets(http, server.accept);
  await new Promise<void>((listening) => http.listen(0, listening));
  onTestFinished(async () => {
    await server.close();
    http.close();
  });

  const readme = readFileSync(new URL('../packages/client-core/README.md', import.meta.url), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const file = fileURLToPath(new URL(`./client-core-readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, example.replaceAll('8080', String((http.address() as AddressInfo).port)));
  onTestFinished(() => rmSync(file, { force: true }));

  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file], {
    timeout: 15_000,
  });

  expect(stdout).toBe('Hello\n');
}, 20_000);
