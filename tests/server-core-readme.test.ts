// The examples of the server's README are run as they stand: the first in a process of its own, as a reader would.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HAIPClient } from '@haip/client-core';
import { webSocket } from '@haip/transport-ws/client';
import { expect, onTestFinished, test } from 'vitest';

test('the server in the README of @haip/server-core echoes, and its second tool counts', async () => {
  const readme = readFileSync(new URL('../packages/server-core/README.md', import.meta.url), 'utf8');
  const [first = '', second = ''] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);
  const port = String(20_000 + (process.pid % 20_000));
  const file = fileURLToPath(new URL(`./server-core-readme-${process.pid}.ts`, import.meta.url));
  writeFileSync(file, `import * as v from 'valibot';\n${first.replaceAll('8080', port)}${second}`);
  onTestFinished(() => rmSync(file, { force: true }));
  const server = spawn(process.execPath, ['--conditions=@haip/source', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill());
  expect(String(await once(server.stdout, 'data'))).toBe('ready\n');

  const client = new HAIPClient({ transports: [webSocket({ url: `ws://localhost:${port}/haip/websocket` })] });
  onTestFinished(() => client.disconnect());
  client.authenticate(() => ({ token: 'Bearer TOKEN' }));
  await client.connect();

  expect(await answerOf(client, 'echo', 'Hello')).toBe('Hello');
  expect(await answerOf(client, 'counter', '3')).toBe('1 2 3 ');
}, 20_000);

async function answerOf(client: HAIPClient, tool: string, text: string): Promise<string | undefined> {
  const chat = await client.startTransaction(tool);
  await chat.sendText(text);
  for await (const message of chat.messages()) return message.text;
  return undefined;
}
