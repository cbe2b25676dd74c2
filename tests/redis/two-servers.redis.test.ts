// Two servers that share a store on Redis, a client of each: one conversation, whatever becomes of hints and of the store.

import { HAIPClient, type Transaction } from '@haip/client-core';
import { redisHistory } from '@haip/history-redis';
import type { HistoryStore } from '@haip/protocol';
import { HAIPServer } from '@haip/server-core';
import { memoryTransport } from '@haip/testing';
import { createClient } from '@redis/client';
import { expect, onTestFinished, test, vi } from 'vitest';

const url = process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const permissions = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
const quiet = (): void => {};

/** Keys of one test, gone when it is over. */
class OwnKeys {
  readonly prefix = `haip-test-${crypto.randomUUID()}`;
  readonly #client = createClient({ url });

  static async open(): Promise<OwnKeys> {
    const keys = new OwnKeys();
    await keys.#client.connect();
    onTestFinished(async () => {
      await keys.lose();
      keys.#client.destroy();
    });
    return keys;
  }

  /** As FLUSHALL would, for these keys. */
  async lose(name = '*'): Promise<void> {
    for await (const names of this.#client.scanIterator({ MATCH: `${this.prefix}:${name}`, COUNT: 1000 })) {
      if (names.length > 0) await this.#client.unlink(names);
    }
  }
}

interface Node {
  readonly server: HAIPServer;
  person(user: string): Promise<HAIPClient>;
}

/** A server with a store of its own on the same keys. @param without what its store hears of: nothing, if so. */
async function startNode(keys: OwnKeys, without?: 'hints'): Promise<Node> {
  const store = await redisHistory({ url, prefix: keys.prefix, logger: quiet });
  const history: HistoryStore = without === undefined ? store : { ...store, watch: () => quiet };
  const server = new HAIPServer({ history, logger: quiet, limits: { positionCheckMs: 50 } });
  server.authenticate((auth) => ({ id: auth.user, permissions, credits: 1000 }));
  server.registerTool<string>({ name: 'echo', onMessage: (turn, text) => turn.reply(`You said ${text}`) });
  onTestFinished(async () => {
    await server.close();
    await store.close();
  });
  return {
    server,
    async person(user) {
      const client = new HAIPClient({
        transports: [memoryTransport(server.accept)],
        logger: quiet,
      });
      client.authenticate(() => ({ user }));
      await client.connect();
      onTestFinished(() => client.disconnect());
      return client;
    },
  };
}

const texts = (chat: Transaction): string[] => chat.conversation.messages.map(({ text }) => text);

test('what a client of one server writes, and what the agent answers, a client of the other one sees', async () => {
  const keys = await OwnKeys.open();
  const [one, two] = [await startNode(keys), await startNode(keys)];
  const chat = await (await one.person('ann')).startTransaction('echo');
  const same = await (await two.person('bob')).joinTransaction(chat.id);
  await chat.sendText('one');
  await same.sendText('two');
  const all = ['one', 'You said one', 'two', 'You said two'];
  for (const it of [chat, same]) await vi.waitFor(() => expect(texts(it).toSorted()).toEqual(all.toSorted()), 20_000);
  expect(texts(same)).toEqual(texts(chat));
  expect(same.conversation.position).toBe(chat.conversation.position);
});

test('F31: a server that no hint reaches finds by its own look at the positions what others appended', async () => {
  const keys = await OwnKeys.open();
  const [one, deaf] = [await startNode(keys), await startNode(keys, 'hints')];
  const chat = await (await one.person('ann')).startTransaction('echo');
  const same = await (await deaf.person('bob')).joinTransaction(chat.id);
  for (const text of ['one', 'two', 'three']) {
    await chat.sendText(text);
    await vi.waitFor(() => expect(texts(same)).toContain(`You said ${text}`), 20_000);
  }
  expect(texts(same)).toEqual(texts(chat));
  expect(same.conversation.gaps).toEqual([]);
});

test('F30: a store that comes back in another epoch has its conversation begin afresh, with what is there', async () => {
  const keys = await OwnKeys.open();
  const nodes = [await startNode(keys), await startNode(keys)];
  const people = [await nodes[0]?.person('ann'), await nodes[1]?.person('bob')];
  const chat = (await people[0]?.startTransaction('echo')) as Transaction;
  const same = (await people[1]?.joinTransaction(chat.id)) as Transaction;
  await chat.sendText('one');
  await vi.waitFor(() => expect(texts(same)).toContain('You said one'), 20_000);
  const restarts: [number, number] = [0, 0];
  const before = [chat, same].map(({ cursor }) => cursor?.epoch);
  chat.on('restart', () => restarts[0]++);
  same.on('restart', () => restarts[1]++);

  await keys.lose('meta');
  for (const it of [chat, same]) {
    await vi.waitFor(() => expect(texts(it)).toEqual(['one', 'You said one']), 20_000);
  }
  await vi.waitFor(() => expect(restarts).toEqual([1, 1]), 20_000);
  await same.sendText('two');
  for (const it of [chat, same]) {
    await vi.waitFor(() => expect(texts(it)).toEqual(['one', 'You said one', 'two', 'You said two']), 20_000);
  }
  const after = [chat, same].map(({ cursor }) => cursor?.epoch);
  expect(after[0]).toBe(after[1]);
  expect(before).not.toContain(after[0]);
});

test('F30: clients of a store that lost everything are told that their conversation is gone, and may begin another', async () => {
  const keys = await OwnKeys.open();
  const node = await startNode(keys);
  const client = await node.person('ann');
  const chat = await client.startTransaction('echo');
  await chat.sendText('one');
  await vi.waitFor(() => expect(texts(chat)).toContain('You said one'), 20_000);
  await keys.lose();
  await expect(chat.sendText('two')).rejects.toThrow();
  const another = await client.startTransaction('echo');
  await another.sendText('three');
  await vi.waitFor(() => expect(texts(another)).toEqual(['three', 'You said three']), 20_000);
});
