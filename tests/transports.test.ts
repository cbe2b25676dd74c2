// The real client and the real server over every transport: one table of cases, one table of transports.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HAIPClient, RefusedError, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Accept, JsonValue, Transport } from '@haip/protocol';
import { HAIPServer, type Turn } from '@haip/server-core';
import { memoryTransport, rawPeer } from '@haip/testing';
import { webSocket } from '@haip/transport-ws/client';
import { acceptWebSockets } from '@haip/transport-ws/server';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { listening, ways } from './http/served.ts';

interface Served {
  /** A transport of its own for each client. */
  dialer(): Transport;
  /** Breaks every link without a word. */
  cut(): void;
}

interface Row {
  readonly name: string;
  serve(accept: Accept): Promise<Served>;
}

const rows: readonly Row[] = [
  {
    name: 'memory',
    async serve(accept) {
      const made: ReturnType<typeof memoryTransport>[] = [];
      return {
        dialer() {
          const transport = memoryTransport(accept, { binary: false });
          made.push(transport);
          return transport;
        },
        cut: () => made.flatMap(({ links }) => links).forEach((link) => void link.cut()),
      };
    },
  },
  {
    name: 'WebSocket',
    async serve(accept) {
      const http = createServer();
      acceptWebSockets(http, accept);
      const { origin, cut, close } = await listening(http);
      onTestFinished(close);
      return { dialer: () => webSocket({ url: `${origin.replace('http', 'ws')}/haip/websocket` }), cut };
    },
  },
  ...ways.map(({ name, mount, dialer }) => ({
    name,
    async serve(accept: Accept) {
      const http = createServer();
      mount(http, accept);
      const { origin, cut, close } = await listening(http);
      onTestFinished(close);
      return { dialer: () => dialer(origin), cut };
    },
  })),
];

const quiet = (): void => {};
const permissions = { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'] };

const reconnect = { minDelayMs: 1, maxDelayMs: 5 };

function makeServer() {
  const server = new HAIPServer({ history: memoryHistory(), logger: quiet });
  server.authenticate((auth) =>
    auth?.token === 'Bearer TOKEN' ? { id: auth.user, permissions, credits: 1000 } : null,
  );
  server.registerTool<string>({
    name: 'echo',
    onMessage: (turn, text) => turn.reply(text),
    onAudio: (turn, audio) => turn.replyAudio(audio),
  });
  const paused = Promise.withResolvers<void>();
  server.registerTool<string>({
    name: 'speller',
    async onMessage(turn: Turn, text) {
      const writer = await turn.stream();
      for (const [i, letter] of [...text].entries()) {
        if (i === 5) await paused.promise;
        await writer.write(letter);
      }
      await writer.end();
    },
  });
  return { server, resume: paused.resolve };
}

async function setUp(row: Row) {
  const { server, resume } = makeServer();
  const served = await row.serve(server.accept);
  const clients: HAIPClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.disconnect();
    await server.close();
  });
  function client({ user = 'user123', token = 'Bearer TOKEN' } = {}): HAIPClient {
    const made = new HAIPClient({ transports: [served.dialer()], logger: quiet, reconnect });
    made.authenticate(() => ({ token, user }));
    clients.push(made);
    return made;
  }
  return { server, client, resume, ...served };
}

const texts = (chat: Transaction): string[] => chat.conversation.messages.map(({ text }) => text);

/** Resolves once the conversation looks so. */
function whenSeen(chat: Transaction, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo()) resolve();
    };
    chat.on('change', look);
    look();
  });
}

describe.each(rows)('over $name', (row) => {
  test('a tool that says what no reader can be sent fails in its own turn, and nobody is cut off for it', async () => {
    const { server, client } = await setUp(row);
    const unsayable: Record<string, (turn: Turn) => unknown> = {
      nothing: (turn) => turn.reply(null),
      'too long a text': (turn) => turn.reply('x'.repeat(2_000_000)),
      'too much audio': (turn) => turn.replyAudio({ bytes: new Uint8Array(6_000_000), mime: 'audio/pcm' }),
      'no bytes': (turn) => turn.replyAudio({ bytes: new ArrayBuffer(4) as never, mime: 'audio/pcm' }),
      'no media type': (turn) => turn.replyAudio({ bytes: new Uint8Array(1), mime: 'a"b\n' }),
      'too large a result': async (turn) => (await turn.call('search')).done('x'.repeat(2_000_000)),
    };
    server.registerTool<string>({
      name: 'careless',
      onMessage: async (turn, text) => void (await unsayable[text]?.(turn)),
    });
    const person = client();
    await person.connect();
    const beside = await person.startTransaction('echo');
    const chat = await person.startTransaction('careless');
    for (const [number, text] of Object.keys(unsayable).entries()) {
      await chat.sendText(text);
      await whenSeen(chat, () => chat.conversation.runs.filter(({ status }) => status === 'ERROR').length > number);
    }
    await beside.sendText('Hello');
    await whenSeen(beside, () => texts(beside).length === 2);

    expect(texts(chat)).toEqual(Object.keys(unsayable));
    expect(person.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  });

  test('a person who sends what no server takes is told so, and the next message goes on', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    let deep: JsonValue = 1;
    for (let level = 0; level < 40; level++) deep = [deep];
    const wide = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, i]));
    const refused = { name: 'RefusedError', code: 'PROTOCOL_VIOLATION', retry: false };
    const sending = [chat.send(deep), chat.send(wide), chat.sendText('Hello')] as const;
    // Together they are more than its window holds.
    const large = Array.from({ length: 6 }, () => chat.send({ ...wide, text: 'x'.repeat(200_000) }));

    await expect(sending[0]).rejects.toMatchObject({ ...refused, expected: 'at most 32 levels of nesting' });
    await expect(sending[1]).rejects.toMatchObject({ ...refused, expected: 'at most 256 keys in an object' });
    await sending[2];
    for (const one of large) await expect(one).rejects.toMatchObject(refused);
    await chat.sendText('Goodbye');
    await whenSeen(chat, () => texts(chat).length === 4);
    expect(person.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  });

  test('what is larger than the server takes is refused before it is written: nobody is cut off for it', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    const audio = { bytes: new Uint8Array(1_048_577), mime: 'audio/webm' };
    const refused = { name: 'RefusedError', code: 'MESSAGE_TOO_LARGE', retry: false };
    const before = chat.sendText('Hello');
    const text = { ...refused, expected: 'at most 262144 bytes' };
    await Promise.all([
      expect(chat.sendText('x'.repeat(262_144))).rejects.toMatchObject(text),
      // Fewer characters than bytes.
      expect(chat.sendText('ж'.repeat(131_072))).rejects.toMatchObject(text),
      expect(person.startTransaction('echo', { params: { text: 'x'.repeat(262_144) } })).rejects.toMatchObject(text),
      expect(chat.sendAudio(audio)).rejects.toMatchObject({
        ...refused,
        expected: 'at most 1048576 bytes',
        got: '1048577',
      }),
    ]);
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['Hello']);
    await Promise.all([before, chat.sendText('Goodbye')]);
    await whenSeen(chat, () => texts(chat).length === 4);
    expect(person.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  });

  test('a quiet connection keeps no credentials in memory, whether they were good', async () => {
    const { server, client } = await setUp(row);
    const shown: WeakRef<object>[] = [];
    server.authenticate((auth) => {
      shown.push(new WeakRef(auth as object));
      return { id: auth.user, permissions, credits: 1000 };
    });
    await client().connect();
    await client({ user: '' })
      .connect()
      .catch(() => {});
    expect(shown.length).toBeGreaterThan(1);

    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await vi.waitFor(() => {
      collect();
      expect(shown.filter((auth) => auth.deref())).toEqual([]);
    });
  });

  test('what is sent comes back, whatever characters it has', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    const all = ['Hello', 'a\nb\r\nc\u2028d', 'data: x\n\nevent: close', '{"close":{"code":1000}}', '東京 👩‍👩‍👧'];
    const answers = chat.messages();
    for (const text of all) {
      const { position } = await chat.sendText(text);
      expect(position).toBeGreaterThan(1);
      expect((await answers.next()).value).toMatchObject({ text, channel: 'AGENT' });
    }
    expect(person.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
  });

  test('many messages at once are answered in order', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    const sent = Array.from({ length: 300 }, (_, i) => String(i));
    await Promise.all(sent.map((text) => chat.sendText(text)));
    await whenSeen(chat, () => texts(chat).length === 600);
    const said = (channel: string) => chat.conversation.messages.filter((message) => message.channel === channel);
    expect(said('USER').map(({ text }) => text)).toEqual(sent);
    expect(said('AGENT').map(({ text }) => text)).toEqual(sent);
  });

  test('a streamed answer is seen while it is written', async () => {
    const { client, resume } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('speller');
    await chat.sendText('abcdefghij');
    await whenSeen(chat, () => texts(chat)[1] === 'abcde');
    resume();
    const { value } = await chat.messages().next();
    expect(value).toMatchObject({ text: 'abcdefghij', status: 'complete' });
  });

  test('F3: an answer that is cut in its middle completes itself, unrepeated', async () => {
    const { client, resume, cut } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('speller');
    await chat.sendText('abcdefghij');
    await whenSeen(chat, () => texts(chat)[1] === 'abcde');
    cut();
    const late = chat.sendText('and then');
    resume();
    const { value } = await chat.messages().next();
    expect(value).toMatchObject({ text: 'abcdefghij', status: 'complete' });
    await late;
    await whenSeen(chat, () => texts(chat).filter((text) => text === 'and then').length === 2);
    expect(texts(chat).sort()).toEqual(['abcdefghij', 'abcdefghij', 'and then', 'and then']);
    expect(person.stats).toMatchObject({ connections: 2, faults: 0 });
    expect(chat.conversation.gaps).toEqual([]);
  });

  test('refused credentials end the attempts with an error that says so', async () => {
    const { client } = await setUp(row);
    const stranger = client({ token: 'wrong' });
    const refused = await stranger.connect().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RefusedError);
    expect(refused).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(stranger.state.name).toBe('disconnected');
  });

  test('two people see one conversation', async () => {
    const { client } = await setUp(row);
    const [first, second] = [client(), client({ user: 'guest' })];
    await Promise.all([first.connect(), second.connect()]);
    const chat = await first.startTransaction('echo');
    await chat.sendText('Hello');
    const same = await second.joinTransaction(chat.id);
    await same.sendText('Hi');
    await Promise.all([chat, same].map((each) => whenSeen(each, () => texts(each).length === 4)));
    expect(same.conversation.messages).toEqual(chat.conversation.messages);
  });

  test('audio comes back as the same bytes [SSE-3]', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
    await chat.sendAudio({ bytes, mime: 'audio/webm' });
    const { value } = await chat.messages().next();
    expect(value?.audio).toEqual({ bytes, mime: 'audio/webm' });
  });

  test('audio of 1 MiB comes back as the same bytes; its author is told of a byte more [AUDIO-3]', async () => {
    const { client } = await setUp(row);
    const person = client();
    await person.connect();
    const chat = await person.startTransaction('echo');
    const most = Uint8Array.from({ length: 1_048_576 }, (_, i) => i * 7);
    await chat.sendAudio({ bytes: most, mime: 'audio/webm' });
    const { value } = await chat.messages().next();
    expect(Buffer.compare(value?.audio?.bytes ?? new Uint8Array(), most)).toBe(0);
    const more = new Uint8Array(most.length + 1);
    await expect(chat.sendAudio({ bytes: more, mime: 'audio/webm' })).rejects.toThrow();
    expect(chat.conversation.messages).toHaveLength(2);
  });

  test('F18: of two connections of one session the newer wins, and the older is closed 4409', async () => {
    const { dialer } = await setUp(row);
    const auth = { token: 'Bearer TOKEN', user: 'user123' };
    const dial = async () => rawPeer(await dialer().dial({}, new AbortController().signal));
    const older = await dial();
    const { payload, session } = await older.hai({ auth, attempt: '1' });
    const newer = await dial();
    expect((await newer.hai({ auth, attempt: '2', resume_token: payload.resume_token })).session).toBe(session);
    expect(await older.closed).toMatchObject({ code: 4409 });
  });

  test('a server that stops tells its clients to come again elsewhere', async () => {
    const { client, server } = await setUp(row);
    const person = client();
    await person.connect();
    const waiting = new Promise((resolve) => {
      person.on('state', (state) => state.name === 'waiting' && resolve(state.reason));
    });
    await server.close();
    expect(await waiting).toMatchObject({ closeCode: 1012 });
  });
});

const pairs = rows.flatMap((from) => rows.filter((to) => to !== from).map((to) => ({ from, to })));

test.each(pairs.filter(({ from, to }) => !/handler/.test(from.name + to.name)))(
  'F17: a session moves from $from.name to $to.name in the middle of an answer, and is the same one [HTTP-2]',
  async ({ from, to }) => {
    const { server, resume } = makeServer();
    const [first, second] = [await from.serve(server.accept), await to.serve(server.accept)];
    const client = new HAIPClient({ transports: [first.dialer()], logger: quiet, reconnect });
    onTestFinished(async () => {
      client.disconnect();
      await server.close();
    });
    client.authenticate(() => ({ token: 'Bearer TOKEN', user: 'user123' }));
    await client.connect();
    const states = [client.state];
    client.on('state', (state) => states.push(state));
    const chat = await client.startTransaction('speller');
    const positions: number[] = [];
    chat.on('entry', ({ position }) => positions.push(position));
    await chat.sendText('abcdefghij');
    await whenSeen(chat, () => texts(chat)[1] === 'abcde');
    const next = second.dialer();
    const moving = client.useTransport(next);
    const late = chat.sendText('and then');
    resume();
    await Promise.all([moving, late]);
    await whenSeen(chat, () => texts(chat).filter((text) => text === 'and then').length === 2);
    expect(texts(chat).sort()).toEqual(['abcdefghij', 'abcdefghij', 'and then', 'and then']);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    expect(states).toEqual([states[0], { ...states[0], transport: next.name }]);
    expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
    expect(chat.conversation.gaps).toEqual([]);
  },
);

test('F12: over a proxy that holds an event stream back the client moves on to the next transport', async () => {
  const { server } = makeServer();
  const http = createServer((_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }));
  const buffering = await listening(http);
  onTestFinished(buffering.close);
  const [sse, fallback] = [ways.find(({ kind }) => kind === 'sse'), rows.find(({ name }) => name === 'WebSocket')];
  const served = await fallback?.serve(server.accept);
  const transports = [sse?.dialer(buffering.origin), served?.dialer()].filter((each) => each !== undefined);
  const client = new HAIPClient({ transports, logger: quiet, connectTimeoutMs: 300 });
  client.authenticate(() => ({ token: 'Bearer TOKEN', user: 'user123' }));
  await client.connect();
  expect(client.stats.connections).toBe(1);
  client.disconnect();
  await server.close();
});

test('F12: over a proxy that passes the HAI on and then waits for more, the session goes on over the next transport', async () => {
  const { server } = makeServer();
  const http = createServer();
  acceptWebSockets(http, server.accept);
  const way = ways.find(({ kind }) => kind === 'http');
  way?.mount(http, server.accept);
  const direct = await listening(http);
  const proxy = await listening(createServer((asked, answer) => void fillBlocks(asked, answer, direct.port)));
  const webSocketUrl = `${direct.origin.replace('http', 'ws')}/haip/websocket`;
  const transports = [way?.dialer(proxy.origin), webSocket({ url: webSocketUrl })].filter((each) => each !== undefined);
  const client = new HAIPClient({ transports, logger: quiet, deliverTimeoutMs: 300 });
  onTestFinished(async () => {
    client.disconnect();
    await server.close();
    await Promise.all([proxy.close(), direct.close()]);
  });
  client.authenticate(() => ({ token: 'Bearer TOKEN', user: 'user123' }));
  const carriers: string[] = [];
  const moved = new Promise<void>((resolve) => {
    client.on('state', (state) => {
      if (state.name === 'connected' && carriers.push(state.transport) === 2) resolve();
    });
  });
  await client.connect();
  await moved;
  const chat = await client.startTransaction('echo');
  await chat.sendText('Hello');
  await whenSeen(chat, () => texts(chat).length === 2);
  expect(carriers).toEqual(['http', 'websocket']);
  expect(client.stats).toEqual({ connections: 2, duplicates: 0, faults: 0 });
});

/** Passes a request on, and its answer in whole blocks of 512 bytes or more, as a proxy that fills a buffer first. */
function fillBlocks(asked: IncomingMessage, answer: ServerResponse, port: number): void {
  const { url, method, headers } = asked;
  const passed = request({ port, path: url, method, headers }, (answered) => {
    answer.writeHead(answered.statusCode ?? 502, answered.headers).flushHeaders();
    let held = Buffer.alloc(0);
    const pass = (): void => {
      answer.write(held);
      held = Buffer.alloc(0);
    };
    answered.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      if (held.length >= 512) pass();
    });
    answered.on('end', () => {
      pass();
      answer.end();
    });
    answered.on('error', () => answer.destroy());
    answer.on('close', () => answered.destroy());
  });
  passed.on('error', () => answer.destroy());
  asked.pipe(passed);
}
