// The real client and the real server over a memory link: what each promises, kept together.

import { type ClientOptions, HAIPClient, keptOutbox, type Transaction } from '@haip/client-core';
import { memoryHistory } from '@haip/history-memory';
import type { Signer } from '@haip/protocol';
import { HAIPServer, type Turn } from '@haip/server-core';
import { fakeClock, memoryTransport, settle } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const permissions = { MESSAGE: ['*'], AUDIO: ['*'], TRANSACTION_JOIN: ['*'] };

/** Answers at once: the fake clock does not wait for the threads of real cryptography. */
const signer: Signer = {
  sign: (text) => Buffer.from(`mac of ${text}`).toString('base64url'),
  verify: (text, mac) => mac === Buffer.from(`mac of ${text}`).toString('base64url'),
};

interface SetUpOptions {
  readonly windowSize?: number;
  readonly clientBinary?: boolean;
  /** Messages that a client may send ahead. */
  readonly windowMessages?: number;
}

function setUp(options: SetUpOptions = {}) {
  const clock = fakeClock();
  const quiet = () => {};
  const history = memoryHistory({ clock, windowSize: options.windowSize ?? 1000 });
  const limits = options.windowMessages === undefined ? {} : { windowMessages: options.windowMessages };
  const server = new HAIPServer({ history, clock, signer, logger: quiet, limits });
  server.authenticate((auth) =>
    auth?.token === 'Bearer TOKEN' ? { id: auth.user, permissions, credits: 1000 } : null,
  );
  server.registerTool<string>({
    name: 'echo',
    onMessage: (turn, text) => turn.reply(text),
    onAudio: (turn, audio) => turn.replyAudio(audio),
  });
  server.registerTool<string>({
    name: 'speller',
    async onMessage(turn: Turn, text) {
      const writer = await turn.stream({ author: 'Speller' });
      for (const letter of text) {
        await writer.write(letter);
        await new Promise<void>((resolve) => clock.timer(100, resolve));
      }
      await writer.end();
    },
  });
  function client(user = 'user123', more: Partial<ClientOptions> = {}) {
    const transport = memoryTransport(server.accept, { clock, binary: options.clientBinary ?? true });
    const made = new HAIPClient({ transports: [transport], clock, logger: quiet, random: () => 0.5, ...more });
    made.authenticate(() => ({ token: 'Bearer TOKEN', user }));
    return { client: made, transport };
  }
  return { clock, server, history, client };
}

const texts = (chat: Transaction): string[] => chat.conversation.messages.map(({ text }) => text);

describe('client and server', () => {
  it('chat: what is sent comes back, and both see one conversation', async () => {
    const { client: make, clock, server } = setUp();
    const { client } = make();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const sent = await chat.sendText('Hello');
    expect(sent.position).toBe(2);
    const { value } = await chat.messages().next();
    expect(value).toMatchObject({ text: 'Hello', channel: 'AGENT', position: 3 });
    expect(texts(chat)).toEqual(['Hello', 'Hello']);
    expect(chat.pending).toEqual([]);
    client.disconnect();
    await settle();
    await server.close();
    expect(clock.pending).toBe(0);
  });

  it('a streamed answer that is cut in its middle completes itself, unrepeated', async () => {
    const { client: make, clock } = setUp();
    const { client, transport } = make();
    await client.connect();
    const chat = await client.startTransaction('speller');
    const messages = chat.messages();
    await chat.sendText('abcdefghij');
    await clock.advance(450);
    expect(texts(chat)).toEqual(['abcdefghij', 'abcde']);
    transport.last.cut();
    await clock.advance(5_000);
    expect(client.state.name).toBe('connected');
    expect((await messages.next()).value).toMatchObject({ text: 'abcdefghij', author: 'Speller', status: 'complete' });
    expect(texts(chat)).toEqual(['abcdefghij', 'abcdefghij']);
    expect(client.stats).toMatchObject({ faults: 0, duplicates: 0, connections: 2 });
    expect(chat.conversation.gaps).toEqual([]);
  });

  it('what is sent while the link is down arrives once and in order', async () => {
    const { client: make, clock } = setUp();
    const { client, transport } = make();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const sending = [chat.sendText('1')];
    transport.last.cut();
    sending.push(chat.sendText('2'), chat.sendText('3'));
    await settle();
    sending.push(chat.sendText('4'));
    expect(chat.pending.map(({ payload }) => payload)).toEqual(['1', '2', '3', '4']);
    await clock.advance(5_000);
    await Promise.all(sending);
    await clock.settle();
    const own = chat.conversation.messages.filter(({ channel }) => channel === 'USER');
    expect(own.map(({ text }) => text)).toEqual(['1', '2', '3', '4']);
    expect(texts(chat)).toHaveLength(8);
    expect(chat.pending).toEqual([]);
  });

  it('one who joins late sees the same conversation as one who was there', async () => {
    const { client: make, clock } = setUp();
    const first = make().client;
    await first.connect();
    const chat = await first.startTransaction('speller');
    await chat.sendText('abc');
    await clock.advance(1_000);
    const writer = chat.stream();
    await writer.write('one ');
    await writer.write('two');
    await writer.end();
    await clock.advance(2_000);
    const second = make().client;
    await second.connect();
    const same = await second.joinTransaction(chat.id);
    await clock.settle();
    expect(same.conversation.position).toBe(chat.conversation.position);
    expect(same.conversation.messages).toEqual(chat.conversation.messages);
    expect(texts(same)).toEqual(['abc', 'abc', 'one two', 'one two']);
  });

  it('another user who may join is shown to both, and nothing has to be asked twice', async () => {
    const { client: make, clock } = setUp();
    const first = make().client;
    await first.connect();
    const chat = await first.startTransaction('echo');
    await chat.sendText('Hello');
    const second = make('guest').client;
    await second.connect();
    const same = await second.joinTransaction(chat.id);
    await same.sendText('Hi');
    await clock.settle();
    expect(same.conversation).toEqual(chat.conversation);
    expect(chat.conversation.participants).toHaveLength(2);
    expect(second.stats).toEqual({ connections: 1, duplicates: 0, faults: 0 });
    await same.leave();
    await clock.settle();
    expect(chat.conversation.participants).toHaveLength(1);
  });

  it.each([true, false])('audio comes back as the same bytes, binary frames: %s', async (clientBinary) => {
    const { client: make } = setUp({ clientBinary });
    const { client } = make();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const bytes = new Uint8Array([0, 1, 2, 254, 255]);
    await chat.sendAudio({ bytes, mime: 'audio/webm;codecs=opus', durationMs: 20 });
    const { value } = await chat.messages().next();
    expect(value?.audio).toEqual({ bytes, mime: 'audio/webm;codecs=opus' });
    expect(chat.conversation.messages.map(({ audio }) => audio?.bytes)).toEqual([bytes, bytes]);
  });

  it('a client that comes back after the window was trimmed is told one gap', async () => {
    const { client: make, clock } = setUp({ windowSize: 4 });
    const { client, transport } = make();
    await client.connect();
    const chat = await client.startTransaction('echo');
    const other = make().client;
    await other.connect();
    const same = await other.joinTransaction(chat.id);
    const gaps: unknown[] = [];
    chat.on('gap', (gap) => gaps.push(gap));
    transport.refuse();
    transport.last.cut();
    for (let i = 0; i < 20; i++) await same.sendText(String(i));
    transport.refuse(0);
    await clock.advance(30_000);
    expect(gaps).toHaveLength(1);
    expect(chat.conversation.position).toBe(same.conversation.position);
    expect(texts(chat).slice(-2)).toEqual(texts(same).slice(-2));
  });

  it('getReplayWindow gives every stored entry, own ones too, and moves nothing', async () => {
    const { client: make, clock } = setUp();
    const { client } = make();
    await client.connect();
    const chat = await client.startTransaction('echo');
    for (let i = 0; i < 250; i++) await chat.sendText(String(i));
    await clock.settle();
    const { cursor } = chat;
    const positions: number[] = [];
    for await (const entry of chat.getReplayWindow()) positions.push(entry.position);
    expect(positions).toEqual(Array.from({ length: 501 }, (_, i) => i + 1));
    expect(chat.cursor).toEqual(cursor);
    await chat.end();
    const after: number[] = [];
    for await (const entry of chat.getReplayWindow(499)) after.push(entry.position);
    expect(after).toEqual([499, 500, 501, 502]);
  });

  it('wrong credentials end the attempts with an error that says so', async () => {
    const { client: make, clock } = setUp();
    const { client } = make();
    client.authenticate(() => ({ token: 'wrong' }));
    await expect(client.connect()).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(client.state.name).toBe('disconnected');
    expect(clock.pending).toBe(0);
  });

  it('lists, leaves and ends transactions', async () => {
    const { client: make, clock } = setUp();
    const { client } = make();
    await client.connect();
    const first = await client.startTransaction('echo', { params: { title: 'One' } });
    await clock.advance(10);
    const second = await client.startTransaction('echo');
    await expect(client.listTransactions()).resolves.toMatchObject({
      transactions: [{ transaction: second.id }, { transaction: first.id, title: 'One', toolName: 'echo' }],
    });
    await first.leave();
    await expect(first.sendText('late')).rejects.toMatchObject({ code: 'closed' });
    let ended = 0;
    second.on('ended', () => ended++);
    await second.end();
    expect(ended).toBe(1);
    expect(second.conversation.ended).toBe(true);
    await expect(client.joinTransaction('unknown')).rejects.toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
  });

  it('invariants 3–9, F1–F7: over any sends, cuts and pauses each message is there once, in order, for everybody', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ what: fc.constant('send' as const), who: fc.nat(1) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('cut' as const), who: fc.nat(1) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('mute' as const), who: fc.nat(1) }) },
      { weight: 3, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.nat(400) }) },
    );
    const run = async (steps: (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]): Promise<void> => {
      const { client: make, clock } = setUp();
      const peers = [make(), make()];
      await Promise.all(peers.map(({ client }) => client.connect()));
      const chat = await peers[0]?.client.startTransaction('speller');
      if (chat === undefined) throw new Error('not started');
      const chats = [chat, (await peers[1]?.client.joinTransaction(chat.id)) ?? chat];
      const positions: number[][] = [[], []];
      for (const [i, each] of chats.entries()) each.on('entry', ({ position }) => positions[i]?.push(position));
      const sent: string[][] = [[], []];
      const sending: Promise<unknown>[] = [];
      for (const one of steps) {
        if (one.what === 'wait') await clock.advance(one.ms);
        else if (one.what === 'cut') peers[one.who]?.transport.last.cut();
        else if (one.what === 'mute') peers[one.who]?.transport.last.mute('down');
        else {
          const text = `${one.who}${sent[one.who]?.length}`;
          sent[one.who]?.push(text);
          sending.push(chats[one.who]?.sendText(text) ?? Promise.resolve());
        }
      }
      await clock.advance(120_000);
      await Promise.all(sending);
      const [first, second] = chats;
      expect(second?.conversation.messages).toEqual(first?.conversation.messages);
      for (const [who, own] of sent.entries()) {
        const seen = texts(chat).filter(
          (text, i) => text[0] === String(who) && chat.conversation.messages[i]?.channel === 'USER',
        );
        expect(seen).toEqual(own);
        expect(positions[who]).toEqual([...new Set(positions[who])].sort((a, b) => a - b));
        expect(chats[who]?.pending).toEqual([]);
      }
      const answers = chat.conversation.messages.filter(({ channel }) => channel === 'AGENT');
      expect(answers.map(({ text }) => text).sort()).toEqual(sent.flat().sort());
      for (const { client } of peers) {
        expect(client.stats).toMatchObject({ faults: 0 });
        client.disconnect();
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), run), { numRuns: 40 });
  }, 60_000);

  it('F52: a server with a small window makes a client wait, not fail, and all is stored in order [FLOW-1]', async () => {
    const { client: make, clock } = setUp({ windowMessages: 3 });
    const { client, transport } = make();
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await client.connect();
    const chat = await client.startTransaction('echo');
    const refused = new Set<unknown>();
    chat.on('change', () => {
      for (const { refusedBy } of chat.pending) refused.add(refusedBy);
    });
    const said = Array.from({ length: 40 }, (_, i) => `text ${i}`);
    const sending = said.map((text) => chat.sendText(text));
    await clock.settle();
    transport.last.cut();
    await clock.advance(20_000);
    await Promise.all(sending);
    await clock.settle();
    const own = chat.conversation.messages.filter(({ channel }) => channel === 'USER');
    expect(own.map(({ text }) => text)).toEqual(said);
    expect(chat.conversation.messages).toHaveLength(80);
    expect([...refused]).toEqual([undefined]);
    expect(errors).toEqual([]);
    client.disconnect();
  });

  it('F52: a loop that reads slowly makes the server wait for this client alone, and misses nothing [FLOW-1]', async () => {
    const { client: make, clock } = setUp();
    const author = make();
    const slow = make('user123', { windowMessages: 4 });
    await author.client.connect();
    await slow.client.connect();
    const chat = await author.client.startTransaction('echo');
    const reading = await slow.client.joinTransaction(chat.id);
    await clock.settle();
    const loop = reading.entries();
    const before = reading.cursor.position;
    await Promise.all(Array.from({ length: 30 }, (_, i) => chat.sendText(String(i))));
    await clock.advance(1_000);
    expect(chat.conversation.position).toBeGreaterThan(before + 60 - 1);
    // Four of each channel at most.
    expect(reading.cursor.position).toBeLessThanOrEqual(before + 8);
    const positions: number[] = [];
    while (positions.length < 60) {
      const { value } = await loop.next();
      if (value?.kind === 'entry') positions.push(value.entry.position);
      await clock.settle();
    }
    expect(positions).toEqual(Array.from({ length: 60 }, (_, i) => before + 1 + i));
    expect(slow.client.stats).toMatchObject({ faults: 0, duplicates: 0, connections: 1 });
  });

  it('F59: a page that reloads in the middle of sending goes on in its session, and each message is there once [HAI-22]', async () => {
    const { client: make, clock } = setUp();
    const store = {
      text: null as string | null,
      load: () => store.text,
      save(text: string) {
        store.text = text;
      },
    };
    const first = make('user123', { outbox: keptOutbox(store) });
    await first.client.connect();
    const { state } = first.client;
    const chat = await first.client.startTransaction('echo');
    await clock.settle();
    // The server takes what is written, and its answers are lost.
    first.transport.last.mute('down');
    for (let i = 0; i < 5; i++) void chat.sendText(`lost ${i}`).catch(() => {});
    await clock.settle();
    const { text } = store;
    first.transport.last.cut();
    first.client.disconnect();

    store.text = text;
    const second = make('user123', { outbox: keptOutbox(store) });
    const failed: unknown[] = [];
    second.client.on('failed', (message) => failed.push(message));
    await second.client.connect();
    expect(second.client.state).toEqual(state);
    const again = await second.client.joinTransaction(chat.id);
    void again.sendText('new');
    await clock.advance(1_000);
    const own = again.conversation.messages.filter(({ channel }) => channel === 'USER');
    expect(own.map(({ text: said }) => said)).toEqual([...Array.from({ length: 5 }, (_, i) => `lost ${i}`), 'new']);
    expect(again.pending).toEqual([]);
    expect(failed).toEqual([]);
    expect(JSON.parse(store.text ?? '').messages).toEqual([]);
  });
});
