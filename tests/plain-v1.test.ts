// Software that knows HAIP v1 without the transaction log, over real WebSockets: its clients at our server, our client at its
// server.

import { createServer } from 'node:http';
import { HAIPClient, plainV1 } from '@haip/client-core';
import { fakeClock, plainV1Client, plainV1Server } from '@haip/testing';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, onTestFinished, test } from 'vitest';
import { realServer } from './faults/in-test.ts';
import { wire } from './faults/real-pair.ts';
import { listening } from './http/served.ts';

const texts = Array.from({ length: 10 }, (_, i) => `text ${i} äöü 東京`);
const dialing = new AbortController();

test('a plain v1 client starts behind its HAI, sends ten texts, and is given ten strings back and nothing else [V1-1, V1-3]', async () => {
  const { port, server, accepted } = await realServer();
  const connection = await wire(port).dial({}, dialing.signal);
  const client = plainV1Client(connection, { auth: { user: 'v1' } });
  const transaction = await client.start('echo');
  for (const text of texts) client.sendText(transaction, text);
  const messages = await client.untilMessages(10);
  // Whatever else the server had to say is here before this answer.
  const other = await client.start('echo');

  expect(messages.map(({ payload, channel }) => [payload, channel])).toEqual(texts.map((text) => [text, 'AGENT']));
  expect(messages.map((message) => message.transaction)).toEqual(texts.map(() => transaction));
  expect(other).not.toBe(transaction);
  const types = ['HAI', 'TRANSACTION_START', ...texts.map(() => 'MESSAGE'), 'TRANSACTION_START'];
  expect(client.received.map(({ type }) => type)).toEqual(types);
  expect([client.errors, client.dropped, server.connections, accepted.length]).toEqual([[], [], 1, 1]);
  connection.close(1000);
  await connection.closed;
});

test('our client starts echo at a plain v1 server, and its ten texts come back in order [V1-5, V1-6]', async () => {
  const http = createServer();
  const server = plainV1Server();
  acceptWebSockets(http, server.accept);
  const { port, close } = await listening(http);
  onTestFinished(close);
  const clock = fakeClock();
  const client = new HAIPClient({ transports: [plainV1(wire(port))], clock, logger: () => {} });
  onTestFinished(() => client.disconnect());
  client.authenticate(() => ({ token: 'Bearer TOKEN' }));
  await client.connect();
  const chat = await client.startTransaction('echo');
  const answers = chat.messages();
  for (const text of texts) {
    await chat.sendText(text);
    expect((await answers.next()).value).toMatchObject({ text, payload: text, channel: 'USER' });
  }

  expect(server.received.map(({ type }) => type)).toEqual(['HAI', 'TRANSACTION_START', ...texts.map(() => 'MESSAGE')]);
  expect(server.received.slice(2).map(({ payload }) => payload)).toEqual(texts);
  expect(client.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
});
