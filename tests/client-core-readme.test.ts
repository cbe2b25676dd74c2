// The example of the client's README is run as it stands, in a process of its own, against a server that is there.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer } from '@haip/server-core';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, onTestFinished, test } from 'vitest';

const prelude = `
import { webSocket } from '@haip/transport-ws/client';
const kept = new Map();
globalThis.sessionStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
const transports = [webSocket({ url: 'ws://localhost:8080/haip/websocket' })];
const showAsFailed = () => {};
const before = new HAIPClient({ transports });
before.authenticate(() => ({ token: 'Bearer TOKEN' }));
await before.connect();
const { id } = await before.startTransaction('echo');
before.disconnect();
`;

test.each([
  ['first', 0, '', '', 'Hello\n'],
  ['second', 1, '', '', 'over websocket\nover http\n'],
  [
    'third',
    2,
    prelude,
    'console.log(chat.id === id, [...kept.keys()]); client.disconnect();',
    "true [ 'haip-outbox' ]\n",
  ],
  ['fourth', 3, '', 'console.log(chat.conversation.messages[0]?.text); client.disconnect();', 'Hello\n'],
])(
  'the %s example in the README of @haip/client-core does what it says',
  async (_name, index, before, after, printed) => {
    const server = new HAIPServer({ history: memoryHistory() });
    server.authenticate(({ token }) =>
      token === 'Bearer TOKEN' ? { id: 'user123', permissions: { MESSAGE: ['*'] }, credits: 1000 } : null,
    );
    server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(text) });
    const http = createServer();
    acceptWebSockets(http, server.accept);
    acceptHttpStreams(http, server.accept);
    await new Promise<void>((listening) => http.listen(0, listening));
    onTestFinished(async () => {
      await server.close();
      http.close();
    });

    const readme = readFileSync(new URL('../packages/client-core/README.md', import.meta.url), 'utf8');
    const example = before + ([...readme.matchAll(/```ts\n([\s\S]*?)```/g)][index]?.[1] ?? '') + after;
    const file = fileURLToPath(new URL(`./client-core-readme-${index}-${process.pid}.ts`, import.meta.url));
    writeFileSync(file, example.replaceAll('8080', String((http.address() as AddressInfo).port)));
    onTestFinished(() => rmSync(file, { force: true }));

    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@haip/source', file], {
      timeout: 15_000,
    });

    expect(stdout).toBe(printed);
  },
  20_000,
);
