// Code of the application that gives what its types forbid, or does with what it is given what it should not: it costs its
// own message or its own connection, and is told.
import { memoryHistory } from '@haip/history-memory';
import type { CreditLedger, JsonObject, Turn } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { HAIPServer } from '../src/index.ts';
import { memoryLedger } from '../src/memory-ledger.ts';
import { join, say, seeEntry, start, testServer, testSigner, userOf } from './support.ts';
import { toolThat } from './tools.ts';

const any = (value: unknown): never => value as never;

describe('what a tool is given is its own', () => {
  test('whatever it does with a message, everybody reads what its author wrote', async () => {
    const tool = {
      ...toolThat(async (turn: Turn, input) => {
        const question = any(input) as JsonObject & { self: unknown };
        const { messages } = await turn.conversation();
        for (const given of [question, turn.message.payload, turn.params, messages[0]?.payload]) {
          Object.assign(any(given), { secret: 'of the server', self: 10n });
        }
        Object.assign(turn.message, { type: 'AUDIO', position: 99 });
        await turn.reply('done');
      }),
      onAudio(turn: Turn, { bytes }: { bytes: Uint8Array }) {
        turn.message.bytes?.fill(0);
        // As a worker that the bytes are handed over to.
        structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
        return turn.reply('heard');
      },
    };
    const { enter } = testServer({ tools: [tool] });
    const ada = await enter();
    const { id } = await start(ada, 'tool', { n: 1 });
    ada.send({ type: 'MESSAGE', transaction: id, payload: { q: 1 } });
    await seeEntry(ada, { payload: 'done' });
    ada.send({ type: 'AUDIO', transaction: id, payload: { mime: 'a/b' }, bin_len: 3 }, Uint8Array.of(1, 2, 3));
    await seeEntry(ada, { payload: 'heard' });
    const eve = await enter('eve');
    await join(eve, id);
    const asked = await seeEntry(eve, { type: 'MESSAGE' });
    const audio = await seeEntry(eve, { type: 'AUDIO' });

    expect((await seeEntry(eve, { type: 'TRANSACTION_START' })).payload.params).toEqual({ n: 1 });
    expect(asked).toMatchObject({ payload: { q: 1 }, seq: '2' });
    expect(asked.payload).toEqual({ q: 1 });
    expect(audio.bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('a schema that changes its input changes no message', async () => {
    const input = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) => ({ value: Object.assign(any(value), { filled: true }) as JsonObject }),
      },
    };
    const got: unknown[] = [];
    const tool = { name: 'tool', input, onMessage: (_: Turn, value: unknown) => void got.push(value) };
    const { enter, history } = testServer({ tools: [tool] });
    const ada = await enter();
    const { id } = await start(ada, 'tool');
    await say(ada, id, { q: 1 });

    expect(got).toEqual([{ q: 1, filled: true }]);
    expect((await history.read(id, { from: 2 }))?.entries[0]?.payload).toEqual({ q: 1 });
  });

  test('a tool may give anything back, and a schema any promise', async () => {
    const rejection = { issues: [{ message: 'no' }] };
    // biome-ignore lint/suspicious/noThenProperty: a promise of somebody else's
    const validate = () => ({ then: (done: (result: unknown) => void) => done(rejection) });
    const input = any({ '~standard': { version: 1, vendor: 'test', validate } });
    const strict = { name: 'strict', input, onMessage: () => expect.unreachable() };
    const counter = toolThat((turn) => {
      void turn.reply('counted');
      return any(5);
    });
    const { enter } = testServer({ tools: [strict, counter] });
    const ada = await enter();
    const first = await start(ada, 'strict');
    await expect(say(ada, first.id, 'go')).rejects.toThrow('INVALID_PAYLOAD');
    const second = await start(ada, 'tool');
    const position = await say(ada, second.id, 'go');

    expect(await seeEntry(ada, { payload: 'counted' })).toMatchObject({ seq: String(position + 1) });
  });
});

describe('an authenticator', () => {
  class User {
    readonly #id: string;
    readonly permissions = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
    credits = 5;

    constructor(id: string) {
      this.#id = id;
    }

    get id(): string {
      return this.#id;
    }
  }

  test('may give an object whose fields are getters: each user is who it says', async () => {
    const { enter, server } = testServer({ authenticate: (auth) => new User(auth.user) });
    const ada = await enter('ada');
    const { id } = await start(ada, 'echo');
    const bob = await enter('bob');
    await server.disconnectUser('ada');

    expect(await ada.closed).toMatchObject({ code: 1008 });
    expect((await join(bob, id)).payload).toMatchObject({ verdict: 'resumed' });
    expect(bob.link.open).toBe(true);
  });

  test.each<[string, object]>([
    ['id', { id: 5 }],
    ['permissions', { permissions: { MESSAGE: '*' } }],
    ['credits', { credits: -1 }],
    ['channels', { channels: 'USER' }],
    ['expiresAt', { expiresAt: new Date() }],
  ])('that gives a wrong %s is told which', async (field, wrong) => {
    const { connect, logged } = testServer({ authenticate: () => ({ ...userOf('ada'), ...wrong }) });
    const peer = connect();
    await peer.hai({ auth: {} });

    expect(logged).toMatchObject([
      { event: 'authenticator gave no user', fields: { expected: expect.stringMatching(`^${field}:`) } },
    ]);
  });
});

describe('a ledger', () => {
  async function paying(change: Partial<CreditLedger>) {
    const clock = fakeClock();
    const inner = memoryLedger({ clock, keyTtlMs: 1_000 });
    const ledger = {
      ...inner,
      open: inner.open.bind(inner),
      debit: inner.debit.bind(inner),
      ...change,
    } as CreditLedger;
    const scene = testServer({ clock, credits: { ledger } });
    const peer = scene.connect();
    const welcome = await peer.hai({ auth: { user: 'ada' } });
    return { ...scene, peer, welcome };
  }

  test.each<[string, unknown]>([
    ['nothing of the kind', {}],
    ['a yes', true],
    ['a bigint', { kind: 'taken', balance: 4n }],
    ['a late bigint', Promise.resolve({ kind: 'taken', balance: 4n })],
  ])('that answers a debit with %s lets nobody write for nothing, and ends no connection', async (_, answer) => {
    const { peer, history } = await paying({ debit: () => any(answer) });
    const { id } = await start(peer, 'echo');
    await expect(say(peer, id, 'for nothing?')).rejects.toThrow('refused');

    expect(await history.head(id)).toMatchObject({ last: 1 });
    expect(peer.link.open).toBe(true);
  });

  test('that opens an account with a bigint refuses for now', async () => {
    const { welcome, peer, logged } = await paying({ open: () => any(5n) });

    expect(welcome).toMatchObject({ type: 'ERROR', payload: { code: 'OVERLOADED' } });
    expect(await peer.closed).toMatchObject({ code: 1013 });
    expect(logged[0]).toMatchObject({ event: 'account not opened', fields: { error: expect.any(TypeError) } });
  });
});

test('a price that is a promise refuses the message, and its rejection ends nothing', async () => {
  const cost = (): never => any(Promise.reject(new Error('late')));
  const { enter, logged } = testServer({ credits: { cost } });
  const ada = await enter();
  const { id } = await start(ada, 'echo');
  await expect(say(ada, id, 'go')).rejects.toThrow('INTERNAL_ERROR');

  expect(logged.map(({ event }) => event)).toContain('cost gave no price');
});

test('a signer that throws at a token which is not its own begins a new session', async () => {
  const signer = {
    ...testSigner(),
    verify: () => {
      throw new RangeError('Input buffers must have the same byte length');
    },
  };
  const { connect } = testServer({ signer });
  const peer = connect();
  const welcome = await peer.hai({ auth: { user: 'ada' }, resume_token: 's1.1735689600000.old' });

  expect(welcome).toMatchObject({ type: 'HAI' });
});

describe('what can never work is refused where it is given', () => {
  test.each([
    ['description', 10n, 'a text'],
    ['input', { type: 'string' }, 'a Standard Schema'],
    ['inputJsonSchema', 'string', 'a JSON Schema'],
    ['whileRunning', 'drop', '"queue", "interrupt" or "refuse"'],
    ['onMessage', 'reply', 'a function'],
    ['onAudio', null, 'a function'],
  ])('a tool whose %s is %s', (property, given, expected) => {
    const { server } = testServer();
    const tool = { name: 'tool', [property]: given };
    expect(() => server.registerTool(any(tool))).toThrow(`tool "tool": expected ${property} to be ${expected}, got `);
  });

  test('a server without a history, or with what would make one', () => {
    for (const options of [undefined, {}, { history: memoryHistory }])
      expect(() => new HAIPServer(any(options))).toThrow('history: expected a history store, say memoryHistory()');
  });

  test('an authenticator that is no function', () => {
    const { server } = testServer();
    for (const given of [undefined, { id: 'ada' }])
      expect(() => server.authenticate(any(given))).toThrow('authenticate: expected a function');
  });
});
