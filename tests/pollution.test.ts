// Keys that mean something to JavaScript, sent through everything that takes JSON: they arrive as a payload's own keys, and
// no object gets anything by them.

import { HAIPClient } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { HistoryStore, JsonObject, JsonValue } from '@haip/protocol';
import { HAIPServer, type Turn } from '@haip/server-core';
import { memoryTransport, rawPeer } from '@haip/testing';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { durableStores } from './durable-stores.ts';
import { untilMessages } from './faults/real-pair.ts';

const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'] as const;
const trap = '{"polluted":"yes","prototype":{"polluted":"yes"}}';
const written = `{${keys.map((key) => `"${key}":${trap}`).join(',')},"inside":[{"__proto__":${trap}}]}`;
/** As any parser gives it: each key its own. */
const evil = (): JsonObject => JSON.parse(written);

const permissions = Object.fromEntries(
  ['MESSAGE', 'TRANSACTION_JOIN', 'TOOL_CALL', 'TOOL_UPDATE', 'TOOL_DONE', ...keys.slice(1)].map((type) => [
    type,
    ['*'],
  ]),
);

/** Says with each of its means what it was told, and shows all that it was given. */
function gossip(given: JsonValue[]) {
  return {
    name: 'gossip',
    // A schema of the application's, which hands on what it was given.
    input: { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const,
    async onMessage(turn: Turn, input: unknown) {
      const { messages } = await turn.conversation();
      given.push(turn.params, input as JsonValue, turn.message.payload, messages.at(-1)?.payload as JsonValue);
      const call = await turn.call('search', evil());
      await call.progress(0.5, evil());
      await call.done(evil());
      await turn.reply(evil());
    },
  };
}

async function setUp(history: HistoryStore) {
  const given: JsonValue[] = [];
  const server = new HAIPServer({ history, credits: {}, logger: () => {} });
  server.authenticate((auth) => ({ id: String(auth?.user), permissions, credits: 1000, claims: evil() }));
  server.registerTool(gossip(given));
  server.registerTool({ name: 'silent' });
  const clients: HAIPClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await server.close();
  });
  return {
    given,
    raw: async () => rawPeer(await memoryTransport(server.accept).dial({}, new AbortController().signal)),
    async client(user: string): Promise<HAIPClient> {
      const client = new HAIPClient({ transports: [memoryTransport(server.accept)], logger: () => {} });
      client.authenticate(() => ({ user, ...evil() }));
      clients.push(client);
      await client.connect();
      return client;
    },
  };
}

/** Fails unless it has each of the keys for its own and nothing by them. */
function expectAsSent(value: JsonValue | undefined): void {
  expect(JSON.stringify(value)).toBe(written);
  for (const one of [value, (value as { readonly inside: readonly object[] }).inside[0]]) {
    expect(Object.getPrototypeOf(one)).toBe(Object.prototype);
    expect((one as { readonly polluted?: unknown }).polluted).toBeUndefined();
  }
}

const untouched = Object.getOwnPropertyNames(Object.prototype);

afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(untouched);
  for (const one of [{}, [], () => {}, '', Object, Map.prototype]) expect(one).not.toHaveProperty('polluted');
});

const stores = {
  memory: () => memoryHistory(),
  async sqlite() {
    const place = durableStores.sqlite.place();
    onTestFinished(() => durableStores.sqlite.clear(place));
    return durableStores.sqlite.open(place);
  },
};

test.each(Object.entries(stores))(
  'A6: over %s a payload keeps __proto__ and its like as keys, wherever it goes [ENV-14]',
  async (_, open) => {
    const history = await open();
    const { client, given } = await setUp(history);
    const ada = await client('ada');
    const chat = await ada.startTransaction('gossip', { params: evil() });
    await chat.send(evil());
    await untilMessages(chat, 2);
    const late = await (await client('eve')).joinTransaction(chat.id);
    await untilMessages(late, 2);
    const stored = (await history.read(chat.id, { from: 1 }))?.entries ?? [];
    const replayed = [];
    for await (const { type, payload } of chat.getReplayWindow()) replayed.push({ type, payload });

    expect(given).toHaveLength(4);
    for (const value of given) expectAsSent(value);
    for (const { messages, calls } of [chat.conversation, late.conversation]) {
      expect(messages.map(({ channel }) => channel)).toEqual(['USER', 'AGENT']);
      for (const { payload } of messages) expectAsSent(payload);
      const [{ params, partial, result } = {}] = calls;
      for (const value of [params, partial, result]) expectAsSent(value);
    }
    expectAsSent((await history.get(chat.id))?.params);
    for (const entries of [stored, replayed]) {
      const payloads = entries.filter(({ type }) => type === 'MESSAGE').map(({ payload }) => payload);
      expect(payloads).toHaveLength(2);
      for (const payload of payloads) expectAsSent(payload);
      const started = entries.find(({ type }) => type === 'TRANSACTION_START')?.payload as { params: JsonValue };
      expectAsSent(started.params);
    }
  },
);

test.each(keys)('A6: %s as an id, a type, a tool, a channel and a user is a name like any other', async (name) => {
  const { raw } = await setUp(memoryHistory());
  const peer = await raw();
  const answerTo = async (fields: Parameters<typeof peer.send>[0]) => {
    const { id } = peer.send(fields);
    return peer.until(({ related_id }) => related_id === id);
  };
  // What is under a key of its own is no capability.
  const capabilities = JSON.parse(`{"${name}":{"flow_control":true},"transaction_log":true}`);
  const hai = await peer.hai({ auth: { user: name }, capabilities, ...JSON.parse(`{"${name}":${trap}}`) });
  const unknown = await answerTo({ type: 'TRANSACTION_START', transaction: 'ref', payload: { toolName: name } });
  const schema = await answerTo({ type: 'TOOL_SCHEMA', payload: { tool: name } });
  const critical = await answerTo({ type: name, crit: true });
  peer.send({ type: name });
  const nowhere = await answerTo({ type: 'MESSAGE', transaction: name, payload: 'hello' });
  const { transaction } = await answerTo({
    type: 'TRANSACTION_START',
    transaction: name,
    payload: { toolName: 'silent' },
  });
  const spoofed = await answerTo({ type: 'MESSAGE', transaction, channel: name, payload: 'hello' });
  const message_id = name;
  const entries = [
    { id: name, type: 'MESSAGE', payload: 'named so' },
    { type: 'MESSAGE_START', payload: { message_id } },
    { type: 'MESSAGE_PART', payload: { message_id, text: 'hello' } },
    { type: 'MESSAGE_END', payload: { message_id } },
    { type: 'TOOL_CALL', payload: { call_id: name, tool: name } },
    { type: 'TOOL_DONE', payload: { call_id: name } },
  ];
  const receipts = [];
  for (const entry of entries) receipts.push(await answerTo({ ...entry, transaction }));
  const again = await answerTo({ ...entries[0], type: 'MESSAGE', transaction, payload: 'another' });

  expect(hai).toMatchObject({ type: 'HAI', payload: { credits: 1000 } });
  expect(unknown.payload.code).toBe('TOOL_NOT_FOUND');
  expect(schema.payload.code).toBe('TOOL_NOT_FOUND');
  expect(critical.payload.code).toBe('UNSUPPORTED_TYPE');
  expect(nowhere.payload.code).toBe('TRANSACTION_NOT_FOUND');
  expect(spoofed.payload.code).toBe('UNAUTHORIZED');
  expect(receipts.map(({ payload, seq }) => [payload.kind, seq])).toEqual(
    entries.map((_, at) => ['receipt', String(at + 2)]),
  );
  expect(again.payload.code).toBe('PROTOCOL_VIOLATION');
});
