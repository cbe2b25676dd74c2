// Stop and approval as people have them: a client's own calls, over real sockets, before and after a cut.

import { createServer } from 'node:http';
import { type ClientOptions, HAIPClient, RefusedError, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import { HAIPServer, type Turn } from '@haip/server-core';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { expect, onTestFinished, test } from 'vitest';
import { listening } from './http/served.ts';

const quiet = (): void => {};
const reconnect: ClientOptions['reconnect'] = { minDelayMs: 1, maxDelayMs: 5 };
const everything = ['MESSAGE', 'TRANSACTION_JOIN', 'RUN_CANCEL', 'TOOL_CANCEL', 'TOOL_UPDATE'];

/** Says "and" until it is stopped. */
async function talk(turn: Turn): Promise<void> {
  const writer = await turn.stream();
  while (!turn.signal.aborted) {
    await writer.write('and ');
    await new Promise(setImmediate);
  }
  turn.signal.throwIfAborted();
}

/** Asks before it does something, and says what it was told. */
async function ask(turn: Turn): Promise<void> {
  const call = await turn.call('delete-files', { count: 3 });
  const isApproved = await call.ask({ question: 'Delete 3 files?' });
  if (isApproved) await call.done(3);
  await turn.reply(isApproved ? 'deleted' : 'kept');
}

/** Works on something until somebody stops just that. */
async function work(turn: Turn): Promise<void> {
  const call = await turn.call('search');
  await call.progress(0.5);
  await new Promise((resolve) => call.signal.addEventListener('abort', resolve, { once: true }));
  await turn.reply('without the search');
}

async function setUp(rights: Readonly<Record<string, readonly string[]>> = {}) {
  const server = new HAIPServer({ history: memoryHistory(), logger: quiet });
  server.authenticate((auth) => {
    const id = String(auth?.user);
    const allowed = rights[id] ?? everything;
    return { id, permissions: Object.fromEntries(allowed.map((type) => [type, ['*']])), credits: 1000 };
  });
  server.registerTool({ name: 'talker', onMessage: talk });
  server.registerTool({ name: 'careful', onMessage: ask });
  server.registerTool({ name: 'worker', onMessage: work });
  const http = createServer();
  acceptWebSockets(http, server.accept);
  const { origin, cut, close } = await listening(http);
  const clients: HAIPClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await server.close();
    await close();
  });
  async function person(user: string): Promise<HAIPClient> {
    const transport = webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket` });
    const client = new HAIPClient({ transports: [transport], logger: quiet, reconnect });
    client.authenticate(() => ({ user }));
    clients.push(client);
    await client.connect();
    return client;
  }
  return { person, cut };
}

/** Resolves once the conversation looks so. */
function whenSeen(chat: Transaction, isSo: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo()) resolve();
    };
    chat.on('change', look);
    look();
  });
}

const answerOf = (chat: Transaction) => chat.conversation.messages.find(({ channel }) => channel === 'AGENT');
const saidSomething = (chat: Transaction) => (answerOf(chat)?.text.length ?? 0) > 20;

test('a person stops the agent, and what it said until then stays [RUN-1]', async () => {
  const { person } = await setUp();
  const ada = await person('ada');
  const chat = await ada.startTransaction('talker');
  await chat.sendText('Go on');
  await whenSeen(chat, () => saidSomething(chat));
  await chat.cancel();
  await whenSeen(chat, () => answerOf(chat)?.status !== 'open' && chat.conversation.runs[0]?.status !== 'RUNNING');
  expect(chat.conversation.runs.map(({ status }) => status)).toEqual(['CANCELLED']);
  expect(answerOf(chat)).toMatchObject({ status: 'cancelled', text: expect.stringMatching(/^(and )+$/) });
  // Nothing runs, so there is nothing to stop.
  const { position } = chat.conversation;
  await chat.cancel();
  expect(chat.conversation.position).toBe(position);
});

test('a cut does not stop the agent, another participant does, and whoever comes back sees it stopped [RUN-1]', async () => {
  const { person, cut } = await setUp();
  const [ada, bob] = [await person('ada'), await person('bob')];
  const chat = await ada.startTransaction('talker');
  await chat.sendText('Go on');
  const same = await bob.joinTransaction(chat.id);
  await whenSeen(same, () => saidSomething(same));
  cut();
  const length = answerOf(same)?.text.length ?? 0;
  await whenSeen(same, () => (answerOf(same)?.text.length ?? 0) > length);
  await same.cancel({ heardMs: 1200 });
  await Promise.all(
    [chat, same].map((each) => whenSeen(each, () => each.conversation.runs[0]?.status === 'CANCELLED')),
  );
  expect(chat.conversation).toEqual(same.conversation);
});

test('who may not stop the agent is told so, and it goes on', async () => {
  const { person } = await setUp({ eve: ['TRANSACTION_JOIN'] });
  const [ada, eve] = [await person('ada'), await person('eve')];
  const chat = await ada.startTransaction('talker');
  await chat.sendText('Go on');
  const same = await eve.joinTransaction(chat.id);
  await whenSeen(same, () => saidSomething(same));
  const refused = await same.cancel().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ code: 'UNAUTHORIZED' });
  const length = answerOf(chat)?.text.length ?? 0;
  await whenSeen(chat, () => (answerOf(chat)?.text.length ?? 0) > length);
  await chat.cancel();
});

test.each([
  { isApproved: true, answer: 'deleted', status: 'OK' },
  { isApproved: false, answer: 'kept', status: 'DENIED' },
])('a call that asks goes on as it is answered: $answer', async ({ isApproved, answer, status }) => {
  const { person } = await setUp();
  const ada = await person('ada');
  const chat = await ada.startTransaction('careful');
  await chat.sendText('Clean up');
  await whenSeen(chat, () => chat.conversation.calls[0]?.status === 'WAITING');
  const [call] = chat.conversation.calls;
  expect(call).toMatchObject({ tool: 'delete-files', ask: { question: 'Delete 3 files?' } });
  await chat.approve(call?.id ?? '', isApproved);
  await whenSeen(chat, () => chat.conversation.runs[0]?.status === 'OK');
  expect(answerOf(chat)?.text).toBe(answer);
  expect(chat.conversation.calls[0]?.status).toBe(status);
});

test('one call is stopped, and its run goes on without it', async () => {
  const { person } = await setUp();
  const ada = await person('ada');
  const chat = await ada.startTransaction('worker');
  await chat.sendText('Find it');
  await whenSeen(chat, () => chat.conversation.calls[0]?.progress === 0.5);
  await chat.cancelCall(chat.conversation.calls[0]?.id ?? '', { reason: 'takes too long' });
  await whenSeen(chat, () => chat.conversation.runs[0]?.status === 'OK');
  expect(answerOf(chat)?.text).toBe('without the search');
  expect(chat.conversation.calls[0]?.status).toBe('CANCELLED');
});
