// Real clients and a real server on real sockets, over any transport, with time that each test holds, and a neighbour whose conversation
// must stay whole whatever happens beside it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientOptions, HAIPClient, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Accept, ConnectionEnd, ConversationMessage, Ids, Transport } from '@haip/protocol';
import { HAIPServer, type ServerLimits } from '@haip/server-core';
import { type FakeClock, fakeClock } from '@haip/testing';
import { httpStream } from '@haip/transport-http/client';
import { acceptHttpStreams } from '@haip/transport-http/server';
import { serverSentEvents } from '@haip/transport-sse/client';
import { acceptServerSentEvents } from '@haip/transport-sse/server';
import { webSocket } from '@haip/transport-ws/client';
import { type AcceptWebSocketsOptions, acceptWebSockets } from '@haip/transport-ws/server';

const permissions = { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'] };
const bytes = Uint8Array.of(0, 1, 2, 253, 254, 255);

export interface RealServer {
  readonly server: HAIPServer;
  readonly http: Server;
  readonly port: number;
  /** The server's time. It stands still unless the test moves it. */
  readonly clock: FakeClock;
  /** Every connection accepted so far, in order: where it came from and, once it is over, how it ended. */
  readonly accepted: Accepted[];
  close(): Promise<void>;
}

interface Accepted {
  readonly remoteAddress: string | undefined;
  end: ConnectionEnd | undefined;
}

export interface RealServerOptions {
  readonly limits?: Partial<ServerLimits>;
  readonly webSockets?: AcceptWebSocketsOptions;
  readonly http?: Server;
  readonly windowSize?: number;
  readonly clock?: FakeClock;
}

/** Short ids that tell who made them. */
function countedIds(prefix: string): Ids {
  let count = 0;
  return () => `${prefix}${++count}`;
}

/** A server whose tools answer at once: `echo` says the same; `speller` streams what has more than one letter; `flood` says
 * so many bytes so many times, as in '100 1048576'. */
export async function startServer(options: RealServerOptions = {}): Promise<RealServer> {
  const { clock = fakeClock() } = options;
  const accepted: Accepted[] = [];
  const server = new HAIPServer({
    history: memoryHistory({ clock, windowSize: options.windowSize ?? 100_000 }),
    clock,
    ids: countedIds('s'),
    limits: { ...options.limits },
    logger: () => {},
  });
  server.authenticate((auth) => ({ id: auth.user, permissions, credits: 1e9 }));
  server.registerTool<string>({
    name: 'echo',
    onMessage: (turn, text) => turn.reply(text),
    onAudio: (turn, audio) => turn.replyAudio(audio),
  });
  server.registerTool<string>({ name: 'silent', onMessage: () => {} });
  server.registerTool<string>({
    name: 'flood',
    async onMessage(turn, text) {
      const [count = 0, length = 0] = text.split(' ').map(Number);
      for (let i = 0; i < count; i++) {
        await turn.replyAudio({ bytes: new Uint8Array(length).fill(i), mime: 'audio/pcm' });
        // As a tool that waits for something: a loop that never does would keep everybody waiting.
        await new Promise((next) => setImmediate(next));
      }
    },
  });
  server.registerTool<string>({
    name: 'speller',
    async onMessage(turn, text) {
      if (text.length < 2) return turn.reply(text);
      const writer = await turn.stream();
      for (const letter of text) await writer.write(letter);
      await writer.end();
    },
    onAudio: (turn, audio) => turn.replyAudio(audio),
  });
  const http = options.http ?? createServer();
  const take: Accept = (connection, info) => {
    const each: Accepted = { remoteAddress: info.remoteAddress, end: undefined };
    accepted.push(each);
    void connection.closed.then((end) => {
      each.end = end;
    });
    return server.accept(connection, info);
  };
  const accept: Accept = Object.assign(take, { unavailable: () => server.accept.unavailable?.() });
  // The one wait that no clock of a test holds: how long a close waits for a peer that is gone.
  const closeTimeoutMs = 20;
  acceptWebSockets(http, accept, { closeTimeoutMs, ...options.webSockets });
  acceptServerSentEvents(http, accept, { closeTimeoutMs });
  acceptHttpStreams(http, accept, { closeTimeoutMs });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const close = async (): Promise<void> => {
    await server.close();
    http.closeAllConnections();
    await new Promise((closed) => http.close(closed));
  };
  return { server, http, port: (http.address() as AddressInfo).port, clock, accepted, close };
}

export interface RealClient {
  readonly client: HAIPClient;
  /** The client's time. It moves by itself only over the waits between two attempts. */
  readonly clock: FakeClock;
}

export interface RealClientOptions extends Partial<ClientOptions> {
  readonly user?: string;
  readonly clock?: FakeClock;
  /** Default: WebSocket. */
  readonly over?: Wire;
}

const wires = {
  websocket: (host: string) => webSocket({ url: `ws://${host}/haip/websocket` }),
  sse: (host: string) => serverSentEvents({ url: `http://${host}/haip/sse` }),
  http: (host: string) => httpStream({ url: `http://${host}/haip/stream` }),
};
export type Wire = keyof typeof wires;

/** The transport that reaches a server, or a proxy, on that port. */
export function wire(port: number, over: Wire = 'websocket'): Transport {
  return wires[over](`127.0.0.1:${port}`);
}

/** A client that dials that port. What it waits for before it dials again is over at once. */
export function makeClient(
  port: number,
  { user = 'user', clock = fakeClock(), over, ...options }: RealClientOptions = {},
): RealClient {
  const ids = countedIds(`${user}-`);
  const client = new HAIPClient({
    transports: [wire(port, over)],
    clock,
    ids,
    random: () => 0,
    logger: () => {},
    ...options,
  });
  client.authenticate(() => ({ user }));
  client.on('state', (state) => {
    if (state.name === 'waiting') void clock.advance(state.retryInMs);
  });
  return { client, clock };
}

/** Resolves when the transaction shows so many messages, all of them complete. */
export async function untilMessages(chat: Transaction, count: number): Promise<void> {
  const isThere = () =>
    chat.conversation.messages.length >= count && chat.conversation.messages.every(({ status }) => status !== 'open');
  if (isThere()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stops = [
    chat.on('change', () => isThere() && resolve()),
    chat.on('closed', (reason) => reject(reason ?? new Error('the transaction was closed'))),
  ];
  await promise.finally(() => {
    for (const stop of stops) stop();
  });
}

/** Text, audio, text, each with its answer, in a conversation with the speller. */
export async function exchange(client: HAIPClient): Promise<Transaction> {
  const chat = await client.startTransaction('speller');
  await chat.sendText('ä');
  await untilMessages(chat, 2);
  await chat.sendAudio({ bytes, mime: 'audio/opus' });
  await untilMessages(chat, 4);
  await chat.sendText('b2');
  await untilMessages(chat, 6);
  return chat;
}

const said = ({ channel, text, audio }: ConversationMessage): string =>
  `${channel} ${audio ? [...(audio.bytes ?? [])].join(',') : text}`;

/** Throws unless each message of the {@link exchange} and each answer is there once, whole and in order. */
export function expectWholeExchange(chat: Transaction, told = ''): void {
  const audio = bytes.join(',');
  const lines = ['ä', audio, 'b2'].flatMap((line) => [`USER ${line}`, `AGENT ${line}`]);
  assert.deepEqual(chat.conversation.messages.map(said), lines, told);
  assert.deepEqual(chat.conversation.gaps, [], told);
  assert.deepEqual(chat.pending, [], told);
}

export interface Neighbour {
  readonly chat: Transaction;
  readonly client: HAIPClient;
  /** Says one more thing and waits for its echo. Gives how long that took, in ms. */
  say(): Promise<number>;
  /** Throws unless everything it said and every echo is there once and in order, over one connection. */
  expectWhole(): void;
}

/** Somebody else on the same server, who talks on. */
export async function beginNeighbour(port: number, user = 'neighbour'): Promise<Neighbour> {
  const { client } = makeClient(port, { user });
  await client.connect();
  const chat = await client.startTransaction('echo');
  const positions: number[] = [];
  chat.on('entry', ({ position }) => positions.push(position));
  let count = 0;
  return {
    chat,
    client,
    async say() {
      const begun = performance.now();
      await chat.sendText(`line ${++count}`);
      await untilMessages(chat, 2 * count);
      return performance.now() - begun;
    },
    expectWhole() {
      assert.ok(count > 0, 'the neighbour said nothing');
      const lines = Array.from({ length: count }, (_, i) => [`USER line ${i + 1}`, `AGENT line ${i + 1}`]);
      assert.deepEqual(chat.conversation.messages.map(said), lines.flat());
      assert.deepEqual(
        positions,
        Array.from(positions.keys(), (i) => i + (positions[0] ?? 0)),
      );
      assert.deepEqual(client.stats, { connections: 1, duplicates: 0, faults: 0 });
    },
  };
}

/** Lets the event loop turn until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

/** What the promise comes to, while time passes: a second at each turn of the event loop. */
export async function whileTimePasses<Result>(clock: FakeClock, waiting: Promise<Result>): Promise<Result> {
  let isOver = false;
  const over = waiting.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  while (!isOver) {
    await clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return over;
}
