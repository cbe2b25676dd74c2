// A new version is rolled out over two nodes while people talk, over all transports: each node drains, ends, and another
// takes its place. Nobody may lose anything, or get anything twice.

import { HAIPClient, type Transaction } from '@haip/client-core';
import type { Tool } from '@haip/protocol';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { webSocket } from '@haip/transport-ws/client';
import { expect, onTestFinished } from 'vitest';
import { type Balancer, balancer } from './balancer.ts';
import { type Deployment, deployment, type Node, type Shared } from './nodes.ts';

const dialers = [
  (origin: string) => webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket` }),
  (origin: string) => serverSentEvents({ url: `${origin}/haip/sse` }),
  (origin: string) => httpStream({ url: `${origin}/haip/stream` }),
];

/** Says what it heard, word by word. */
const parrot: Tool<string> = {
  name: 'parrot',
  async onMessage(turn, text) {
    const answer = await turn.stream();
    for (const word of `you said ${text}`.split(/(?= )/)) {
      await answer.write(word);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
};

interface Person {
  readonly name: string;
  readonly client: HAIPClient;
  readonly chat: Transaction;
  readonly said: string[];
}

async function join(proxy: Balancer, n: number): Promise<Person> {
  const name = `user-${n}`;
  const transport = dialers[n % dialers.length]?.(proxy.origin);
  if (transport === undefined) throw new Error('no transport');
  const reconnect = { minDelayMs: 1, maxDelayMs: 200 };
  const client = new HAIPClient({ transports: [transport], logger: () => {}, reconnect });
  client.authenticate(() => ({ user: name }));
  onTestFinished(() => client.disconnect());
  await client.connect();
  return { name, client, chat: await client.startTransaction('parrot'), said: [] };
}

/** One message after another until told to stop, each once the one before is stored. */
async function talk({ name, chat, said }: Person, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const text = `${name} ${said.length}`;
    said.push(text);
    await chat.sendText(text);
  }
}

const textsOf = ({ chat }: Pick<Person, 'chat'>, channel: string): string[] =>
  chat.conversation.messages
    .filter((message) => message.channel === channel && message.status !== 'open')
    .map(({ text }) => text);

/** Takes the place of a node: that one drains, is taken out once it is gone, and a new one comes. */
async function replace(nodes: Deployment, old: Node, proxy: Balancer): Promise<Node> {
  const next = await nodes.start();
  proxy.ports.push(next.port);
  await old.server.drain();
  proxy.ports.splice(proxy.ports.indexOf(old.port), 1);
  expect([old.server.connections, old.server.transactions]).toEqual([0, 0]);
  await old.close();
  return next;
}

/** Rolls a new version out over two nodes that share a store, while so many people talk. */
export async function rollOut(people: number, shared?: Shared): Promise<void> {
  const nodes = deployment({ tools: [parrot], limits: { closeSpreadMs: 1_000 }, shared });
  const [one, two] = [await nodes.start(), await nodes.start()];
  const proxy = await balancer([one.port, two.port]);
  const crowd = await Promise.all(Array.from({ length: people }, (_, n) => join(proxy, n)));
  let isOver = false;
  const talking = Promise.all(crowd.map((person) => talk(person, () => isOver)));
  const three = await replace(nodes, one, proxy);
  const four = await replace(nodes, two, proxy);
  isOver = true;
  await talking;
  const answered = (person: Person): boolean => textsOf(person, 'AGENT').length >= person.said.length;
  await expect
    .poll(() => crowd.filter((person) => !answered(person)).map(({ name }) => name), { timeout: 60_000 })
    .toEqual([]);

  for (const { said, chat, client } of crowd) {
    expect(textsOf({ chat }, 'USER')).toEqual(said);
    expect(textsOf({ chat }, 'AGENT')).toEqual(said.map((text) => `you said ${text}`));
    expect(chat.conversation.gaps).toEqual([]);
    expect(client.stats.faults).toBe(0);
    const entries = await nodes.entriesOf(chat.id);
    const stored = entries.filter(({ user, type }) => user !== null && type === 'MESSAGE');
    expect(stored.map(({ payload }) => payload)).toEqual(said);
    expect(entries.filter(({ type }) => type === 'RUN_ERROR')).toEqual([]);
  }
  expect(crowd.filter(({ client }) => client.stats.connections < 2)).toEqual([]);
  expect([three, four].map(({ server }) => server.connections).reduce((sum, open) => sum + open)).toBe(people);
}
