// A scripted round: over each transport somebody has the assistant count while one node after the other is killed and
// started again. Says whether what they read is complete and unrepeated.

import { HAIPClient, type Transaction } from '@haip/client-core';
import type { ConversationMessage, Transport } from '@haip/protocol';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import type { Tell } from '../server/told-tool.ts';
import type { Cluster } from './cluster.ts';

const last = 300;
const whole = `${Array.from({ length: last }, (_, index) => index + 1).join(', ')}.`;

const transportsOf = (url: string): Transport[] => [
  webSocket({ url: `${url.replace('http', 'ws')}/haip/websocket` }),
  serverSentEvents({ url: `${url}/haip/sse` }),
  httpStream({ url: `${url}/haip/stream` }),
];

interface Listener {
  readonly client: HAIPClient;
  readonly transport: string;
  readonly chat: Transaction;
}

async function begin(transport: Transport): Promise<Listener> {
  const client = new HAIPClient({ transports: [transport], reconnect: { maxDelayMs: 1000 }, logger: () => {} });
  client.authenticate(() => ({ token: `round-over-${transport.name}`.padEnd(32, '-') }));
  await client.connect();
  const chat = await client.startTransaction('assistant', { params: { title: `A round over ${transport.name}` } });
  await chat.sendText(`Count to ${last}`);
  return { client, transport: transport.name, chat };
}

/** Resolves when `isSo`, looked at after each change. */
function when(chat: Transaction, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isSo()) return;
      stop();
      resolve();
    };
    const stop = chat.on('change', look);
    look();
  });
}

const answersIn = ({ conversation }: Transaction): ConversationMessage[] =>
  conversation.messages.filter(({ channel, text }) => channel === 'AGENT' && text !== '');

const textOf = (chat: Transaction): string =>
  answersIn(chat)
    .map(({ text }) => text.trim())
    .join(' ');

/** Asks for the rest of what a kill cut off until there is no more of it. */
async function readToTheEnd(chat: Transaction): Promise<void> {
  for (let asked = 1; ; asked++) {
    await when(chat, () => answersIn(chat).filter(({ status }) => status !== 'open').length >= asked);
    if (answersIn(chat).at(-1)?.status === 'complete') return;
    await chat.sendText('Go on');
  }
}

/** Plays it. True when all that was read is what was to be read. */
export async function playRound({ url, nodes }: Cluster, tell: Tell): Promise<boolean> {
  const listeners = await Promise.all(transportsOf(url).map(begin));
  await Promise.all(listeners.map(({ chat }) => when(chat, () => textOf(chat).length > 20)));
  for (const node of nodes) {
    await node.kill();
    await node.start();
  }
  tell('reads to the end: what a killed node left open the other one closes when its lease has lapsed, some 5 s later');
  await Promise.all(listeners.map(({ chat }) => readToTheEnd(chat)));
  let isWhole = true;
  for (const { client, transport, chat } of listeners) {
    const isRight = textOf(chat) === whole;
    isWhole &&= isRight;
    const { connections } = client.stats;
    const parts = answersIn(chat).length;
    tell(
      isRight
        ? `over ${transport} all ${last} numbers came once and in order: ${parts} answers, ${connections} connections`
        : `over ${transport} came ${textOf(chat)}`,
    );
    client.disconnect();
  }
  return isWhole;
}
