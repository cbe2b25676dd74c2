// Two nodes behind a load balancer that keeps nobody to one of them: each POST goes to the next node, whoever has its stream.

import { HAIPClient, type Transaction } from '@haip/client-core';
import type { Tool, Transport } from '@haip/protocol';
import { httpStream } from '@haip/transport-http/client';
import { serverSentEvents } from '@haip/transport-sse/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { line, ndjson, textOf } from '../http/streams.ts';
import { balancer } from './balancer.ts';
import { deployment } from './nodes.ts';

const echo: Tool<string> = { name: 'echo', onMessage: (turn, text) => turn.reply(text) };
const reconnect = { minDelayMs: 1, maxDelayMs: 20 };

const ways: readonly [name: string, path: string, dialer: (origin: string) => Transport][] = [
  ['SSE', '/haip/sse', (origin) => serverSentEvents({ url: `${origin}/haip/sse` })],
  ['HTTP streaming', '/haip/stream', (origin) => httpStream({ url: `${origin}/haip/stream` })],
];

const textsOf = (chat: Transaction, channel: string): string[] =>
  chat.conversation.messages.filter((message) => message.channel === channel).map(({ text }) => text);

function whenSeen(chat: Transaction, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo()) resolve();
    };
    chat.on('change', look);
    look();
  });
}

async function twoNodes() {
  const nodes = deployment({ tools: [echo] });
  const [one, two] = [await nodes.start(), await nodes.start()];
  const proxy = await balancer([one.port, two.port]);
  return { nodes, one, two, proxy };
}

function client(transport: Transport, user = 'ada'): HAIPClient {
  const made = new HAIPClient({ transports: [transport], logger: () => {}, reconnect });
  made.authenticate(() => ({ user }));
  onTestFinished(() => made.disconnect());
  return made;
}

describe.each(ways)('over %s, two nodes and no sticky sessions', (_, path, dialer) => {
  test('hundreds of messages both ways arrive in order, on one connection each', async () => {
    const { one, two, proxy } = await twoNodes();
    const people = await Promise.all(
      ['ada', 'bob', 'eve'].map(async (user) => {
        const person = client(dialer(proxy.origin), user);
        await person.connect();
        return { person, chat: await person.startTransaction('echo') };
      }),
    );
    const sent = Array.from({ length: 200 }, (_, i) => `message ${i}`);
    await Promise.all(
      people.map(async ({ chat }) => {
        // A few at a time, so that many POSTs go.
        for (let at = 0; at < sent.length; at += 5) {
          await Promise.all(sent.slice(at, at + 5).map((text) => chat.sendText(text)));
        }
        await whenSeen(chat, () => textsOf(chat, 'AGENT').length === sent.length);
      }),
    );

    for (const { person, chat } of people) {
      expect(textsOf(chat, 'USER')).toEqual(sent);
      expect(textsOf(chat, 'AGENT')).toEqual(sent);
      expect(person.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
    }
    // Both nodes were asked for about the same, so that nearly half the POSTs were another's.
    const [first = 0, second = 0] = [one, two].map(({ port }) => proxy.went.get(port));
    expect(Math.min(first, second)).toBeGreaterThan(50);
    expect(Math.abs(first - second)).toBeLessThan(20);
  });

  test('audio of 1 MiB goes through another node', async () => {
    const { nodes, proxy } = await twoNodes();
    const person = client(dialer(proxy.origin));
    await person.connect();
    const chat = await person.startTransaction('echo');
    const bytes = new Uint8Array(1024 * 1024).map((_, i) => (i * 31) % 251);
    await chat.sendAudio({ bytes, mime: 'audio/opus' });
    await chat.sendAudio({ bytes, mime: 'audio/opus' });
    const sent = (await nodes.entriesOf(chat.id)).filter(({ type }) => type === 'AUDIO');

    expect(sent.map((entry) => Buffer.compare(entry.bytes ?? Buffer.of(), bytes))).toEqual([0, 0]);
  });

  test('F10: one POST fired at both nodes at once is taken once, and both answers say the same count', async () => {
    const { nodes, one, two } = await twoNodes();
    const hai = line(1, { payload: { auth: { user: 'ada' }, capabilities: { transaction_log: true } } });
    const init = path.endsWith('sse') ? {} : { method: 'POST', headers: ndjson, body: hai };
    const response = await fetch(`${one.origin}${path}`, init);
    const stream = textOf(response);
    onTestFinished(() => one.cut());
    const relative =
      response.headers.get('haip-upstream') ?? /"upstream":"([^"]+)"/.exec(await stream.until('upstream'))?.[1] ?? '';
    const post = async (node: { readonly origin: string }, body: string): Promise<unknown[]> => {
      const answer = await fetch(new URL(relative, `${node.origin}${path}`), { method: 'POST', headers: ndjson, body });
      return [answer.status, await answer.json()];
    };
    const both = (body: string): Promise<unknown[][]> => Promise.all([one, two].map((node) => post(node, body)));
    if (path.endsWith('sse')) expect(await both(hai)).toEqual([1, 2].map(() => [202, { taken: 1 }]));
    const start = line(2, { type: 'TRANSACTION_START', transaction: 'ref', payload: { toolName: 'echo', params: {} } });
    expect(await both(start)).toEqual([1, 2].map(() => [202, { taken: 1 }]));
    const id = /"transaction":"([^"]*)"/.exec(await stream.until('referenceId'))?.[1] as string;
    for (let n = 3; n < 43; n += 2) {
      const body = [n, n + 1].map((number) => line(number, { transaction: id })).join('\n');
      expect(await both(body)).toEqual([1, 2].map(() => [202, { taken: 2 }]));
    }
    const entries = await nodes.entriesOf(id);

    expect(entries.filter(({ user }) => user === 'ada').map((entry) => entry.id)).toEqual([
      'm2',
      ...Array.from({ length: 40 }, (_, i) => `m${i + 3}`),
    ]);
  });

  test('F9: POSTs at both nodes in any order are taken in the order of their numbers', async () => {
    const { nodes, one, two, proxy } = await twoNodes();
    const person = client(dialer(proxy.origin));
    await person.connect();
    const chat = await person.startTransaction('echo');
    await Promise.all(Array.from({ length: 300 }, (_, i) => chat.sendText(String(i))));
    const entries = await nodes.entriesOf(chat.id);

    const said = entries.filter(({ user, type }) => user === 'ada' && type === 'MESSAGE').map(({ payload }) => payload);
    expect(said).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
    expect([one, two].map(({ server }) => server.connections).sort()).toEqual([0, 1]);
  });

  test('a client whose node hangs is told 404 in 2 s by the other one, and goes on there', async () => {
    const { nodes, one, two, proxy } = await twoNodes();
    const person = client(dialer(proxy.origin));
    await person.connect();
    const chat = await person.startTransaction('echo');
    const [hanging, other] = one.server.connections === 1 ? [one, two] : [two, one];
    proxy.ports.splice(0, 2, other.port);
    hanging.hang();
    const since = performance.now();
    await chat.sendText('is anybody there?');

    expect(performance.now() - since).toBeLessThan(10_000);
    expect(other.server.connections).toBe(1);
    // The node that hangs let its lease go when its client left.
    await whenSeen(chat, () => textsOf(chat, 'AGENT').length === 1);
    const entries = await nodes.entriesOf(chat.id);
    const said = entries.filter(({ user, type }) => user === 'ada' && type === 'MESSAGE').map(({ payload }) => payload);
    expect(said).toEqual(['is anybody there?']);
  });

  test('a client whose node dies goes on at the other one, and nothing is lost or comes twice', async () => {
    const { nodes, one, two, proxy } = await twoNodes();
    const person = client(dialer(proxy.origin));
    await person.connect();
    const chat = await person.startTransaction('echo');
    await chat.sendText('before');
    await whenSeen(chat, () => textsOf(chat, 'AGENT').length === 1);
    const [dying, other] = one.server.connections === 1 ? [one, two] : [two, one];
    dying.die();
    await Promise.all(Array.from({ length: 50 }, (_, i) => chat.sendText(`after ${i}`)));
    const entries = await nodes.entriesOf(chat.id);

    expect(other.server.connections).toBe(1);
    const said = entries.filter(({ user, type }) => user === 'ada' && type === 'MESSAGE').map(({ payload }) => payload);
    expect(said).toEqual(['before', ...Array.from({ length: 50 }, (_, i) => `after ${i}`)]);
    expect(person.stats).toMatchObject({ connections: 2, faults: 0 });
  });
});
