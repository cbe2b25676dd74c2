// Two servers, each a process, share PostgreSQL: the one that streams is killed, and the conversation goes on at the other.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HAIPClient, type Transaction } from '@haip/client-core';
import type { ServerLimits } from '@haip/server-core';
import { webSocket } from '@haip/transport-ws/client';
import { expect, onTestFinished, test } from 'vitest';
import { durableStores } from '../durable-stores.ts';

const url = process.env['HAIP_POSTGRES_URL'] ?? '';
const program = fileURLToPath(new URL('./postgres-server.ts', import.meta.url));

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

/** A schema that is gone when the test is over. */
function ownSchema(): string {
  const { place, clear } = durableStores.postgres;
  const schema = place();
  onTestFinished(() => clear(schema));
  return schema;
}

async function startServer(schema: string, limits: Partial<ServerLimits>): Promise<Server> {
  const child = fork(program, [url, schema, JSON.stringify(limits)], { execArgv: ['--conditions=@haip/source'] });
  onTestFinished(async () => {
    const ended = child.exitCode === null && child.signalCode === null && once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const [port] = await once(child, 'message');
  return { process: child, url: `ws://127.0.0.1:${port}/haip/websocket` };
}

function clientOf(user: string, servers: readonly Server[]): HAIPClient {
  const client = new HAIPClient({
    transports: servers.map((server) => webSocket({ url: server.url })),
    logger: () => {},
  });
  client.authenticate(() => ({ user }));
  onTestFinished(() => client.disconnect());
  return client;
}

/** Resolves once the conversation is so. */
async function until(chat: Transaction, isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stops = [
    chat.on('change', () => isSo() && resolve()),
    chat.on('closed', (reason) => reject(reason ?? new Error('the transaction was closed'))),
  ];
  await promise.finally(() => {
    for (const stop of stops) stop();
  });
}

const lines = ({ conversation }: Transaction): unknown[] =>
  conversation.messages.map(({ channel, text, status, position }) => [channel, text, status, position]);

test('F21: a server killed while its agent streams: what was settled is there, the message ends interrupted, and the client goes on at the other server', {
  timeout: 120_000,
}, async () => {
  const schema = ownSchema();
  // The other one answers soon after.
  const first = await startServer(schema, { leaseMs: 500 });
  const second = await startServer(schema, { leaseMs: 500 });
  const client = clientOf('ann', [first, second]);
  await client.connect();
  const chat = await client.startTransaction('counter');
  const epoch = chat.cursor.epoch;
  await chat.sendText('100000');
  const answer = (): string => chat.conversation.messages[1]?.text ?? '';
  await until(chat, () => answer().length > 200 + Math.random() * 2000);

  const ended = once(first.process, 'exit');
  first.process.kill('SIGKILL');
  await ended;
  await until(chat, () => chat.conversation.messages[1]?.status === 'interrupted');

  const numbers = answer().trim().split(' ').map(Number);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  await chat.sendText('3');
  await until(chat, () => chat.conversation.messages[3]?.status === 'complete');
  expect(chat.conversation.messages[3]?.text).toBe('1 2 3 ');
  expect([chat.pending, chat.conversation.gaps]).toEqual([[], []]);
  expect(chat.cursor.epoch).toBe(epoch);

  const late = clientOf('bob', [second]);
  await late.connect();
  const joined = await late.joinTransaction(chat.id);
  await until(joined, () => joined.conversation.messages.length === 4);
  expect(lines(joined)).toEqual(lines(chat));
});

test('two servers: what one hears from its client the other one tells to its own, and both see one conversation', {
  timeout: 240_000,
}, async () => {
  const schema = ownSchema();
  const servers = [await startServer(schema, {}), await startServer(schema, {})];
  const [ann, bob] = ['ann', 'bob'].map((user, i) => clientOf(user, servers.slice(i, i + 1))) as [
    HAIPClient,
    HAIPClient,
  ];
  await Promise.all([ann.connect(), bob.connect()]);
  const hers = await ann.startTransaction('counter');
  const his = await bob.joinTransaction(hers.id);
  const complete = ({ conversation }: Transaction): number =>
    conversation.messages.filter(({ status }) => status === 'complete').length;
  for (let turn = 1; turn <= 10; turn++) {
    const [speaker, other] = turn % 2 === 0 ? [hers, his] : [his, hers];
    await speaker.sendText('2');
    for (const chat of [other, speaker]) await until(chat, () => complete(chat) === 2 * turn);
  }
  expect(lines(his)).toEqual(lines(hers));
});
