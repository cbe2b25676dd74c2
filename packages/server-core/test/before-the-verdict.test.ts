import { inspect } from 'node:util';
import { type Authenticator, encode, type HAIPUser } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { answerTo, entriesOf, seeEntry, sendHai, testServer, times, userOf } from './support.ts';
import { toolThat } from './tools.ts';

/** An authenticator that answers when the test says so. */
function slowAuthenticator() {
  const asked: { auth: unknown; signal: AbortSignal; answer(user: HAIPUser | null): void }[] = [];
  const authenticate: Authenticator = (auth, { signal }) =>
    new Promise((resolve) => asked.push({ auth, signal, answer: resolve }));
  return { asked, authenticate };
}

describe('while the verdict is out', () => {
  test('A40: an authenticator that hangs is aborted after 10 s and the connection closed 1013 [HAI-6]', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock, server } = testServer({ authenticate });
    const peer = connect();
    sendHai(peer);
    await clock.advance(9_999);
    expect([asked[0]?.signal.aborted, server.connections]).toEqual([false, 1]);
    await clock.advance(1);

    expect(asked[0]?.signal.aborted).toBe(true);
    expect((await peer.expect('ERROR')).payload).toMatchObject({ code: 'OVERLOADED', retry: true });
    expect(await peer.closed).toMatchObject({ code: 1013 });
    asked[0]?.answer(userOf('ada'));
    await clock.settle();
    expect([server.connections, clock.pending, peer.received.length]).toEqual([0, 0, 1]);
  });

  test('A41: a connection that ends while the authenticator runs leaves no session and no timer [HAI-7]', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock, server } = testServer({ authenticate });
    const peer = connect();
    sendHai(peer);
    await clock.settle();
    peer.link.cut();
    await clock.settle();
    expect([asked[0]?.signal.aborted, server.connections, clock.pending]).toEqual([true, 0, 0]);
    asked[0]?.answer(userOf('ada'));
    await clock.settle();

    expect([peer.received, server.connections, clock.pending]).toEqual([[], 0, 0]);
  });

  test('A37: another HAI ends the connection 4429; the same one again is ignored [HAI-9, HAI-10]', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock } = testServer({ authenticate });
    const twice = connect();
    const first = sendHai(twice);
    twice.send({ ...first });
    const two = connect();
    sendHai(two);
    sendHai(two);

    expect(await two.closed).toMatchObject({ code: 4429 });
    asked[0]?.answer(userOf('ada'));
    await twice.expect('HAI');
    await clock.settle();
    expect([asked.length, two.received.length, twice.received.length]).toEqual([2, 0, 1]);
  });

  test('A42: 16 messages behind the HAI are held in order and taken after the verdict [HAI-8]', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock } = testServer({ authenticate });
    const peer = connect();
    sendHai(peer);
    const sent = times(16, (n) => peer.send({ type: 'PING', payload: { n } }));
    await clock.settle();
    expect(peer.received).toEqual([]);
    asked[0]?.answer(userOf('ada'));
    await peer.expect('HAI');
    const answers = [];
    for (const ping of sent) answers.push((await answerTo(peer, ping)).payload.n);

    expect(answers).toEqual(times(16, (n) => n));
  });

  test('A42: a 17th message ends the connection 4429', async () => {
    const { connect } = testServer({ authenticate: slowAuthenticator().authenticate });
    const many = connect();
    sendHai(many);
    for (let n = 0; n < 17; n++) many.send({ type: 'PING' });

    expect(await many.closed).toMatchObject({ code: 4429 });
  });

  test('A42: 64 KiB behind the HAI are held, and a byte more ends the connection 4429', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock } = testServer({ authenticate });
    const holding = (bytes: number) => {
      const peer = connect();
      sendHai(peer);
      const first = peer.send({ type: 'PING', payload: { fill: 'x'.repeat(40_000) } });
      const before = Buffer.byteLength(encode(first));
      const second = { ...first, id: 'second', seq: String(Number(first.seq) + 1), payload: { fill: '' } };
      const room = bytes - before - Buffer.byteLength(encode(second));
      const fill = 'é'.repeat(room >> 1) + 'x'.repeat(room & 1);
      return { peer, last: peer.send({ type: 'PING', id: 'second', payload: { fill } }) };
    };
    const [most, more] = [holding(65_536), holding(65_537)];

    expect(await more.peer.closed).toMatchObject({ code: 4429 });
    await clock.settle();
    asked[0]?.answer(userOf('ada'));
    expect((await answerTo(most.peer, most.last)).type).toBe('PONG');
  });

  test('A42: what was held is refused to nobody when the verdict is no: it is dropped', async () => {
    const { asked, authenticate } = slowAuthenticator();
    const { connect, clock } = testServer({ authenticate });
    const peer = connect();
    sendHai(peer);
    peer.send({ type: 'TRANSACTION_START', transaction: 'ref', payload: { toolName: 'echo' } });
    await clock.settle();
    asked[0]?.answer(null);
    await peer.closed;

    expect(peer.received.map(({ type }) => type)).toEqual(['ERROR']);
  });
});

describe('credentials', () => {
  test('A62: what is in auth reaches the authenticator and nobody else [HAI-17]', async () => {
    const seen: unknown[] = [];
    const authenticate: Authenticator = (auth) => {
      seen.push(auth.token);
      if (auth.user === 'broken') throw new Error('the database is down');
      return auth.user === 'misshapen' ? { ...userOf('misshapen'), credits: -1 } : userOf(auth.user);
    };
    const told: unknown[] = [];
    const curious = toolThat(async (turn, input) => {
      told.push([turn, turn.id, turn.transaction, turn.params, turn.user, turn.message, input, turn.signal]);
      told.push(await turn.conversation());
      throw new Error('the tool failed');
    }, 'curious');
    const { enter, history, logged } = testServer({ authenticate, tools: [curious] });
    const auth = { user: 'ada', token: 'CANARY' };
    const ada = await enter('ada', { auth });
    const eve = await enter('eve', { auth: { user: 'eve', token: 'other' } });
    const others = [];
    for (const user of ['broken', 'misshapen']) others.push(await enter(user, { auth: { user, token: 'CANARY' } }));
    await answerTo(ada, sendHai(ada, { auth }));
    const params = { title: 'what it is about' };
    const payload = { toolName: 'curious', params, auth };
    const started = ada.send({ type: 'TRANSACTION_START', transaction: 'ref', payload });
    const { transaction } = await answerTo(ada, started);
    eve.send({ type: 'TRANSACTION_JOIN', transaction });
    const written = ada.send({ type: 'TOOL_LIST' });
    const hello = { ...written, id: 'hello', transaction, seq: String(Number(written.seq) + 1), type: 'MESSAGE' };
    void ada.sendText(JSON.stringify({ ...hello, payload: 'hello', auth: 'CANARY' }));
    await seeEntry(eve, { type: 'RUN_ERROR' });
    const record = await history.get(transaction as string);
    const page = await history.read(transaction as string, { from: 1 });

    expect(seen).toEqual(['CANARY', 'other', 'CANARY', 'CANARY', 'CANARY']);
    const received = [ada, eve, ...others].map((peer) => peer.received);
    expect(allOf([received, told, record, page, logged])).not.toContain('CANARY');
    // What is looked through is there.
    for (const things of [told, record, page]) expect(allOf(things)).toContain('what it is about');
    for (const message of ['the database is down', 'credits: a number', 'the tool failed'])
      expect(allOf(logged)).toContain(message);
    expect(entriesOf(eve).map(({ type }) => type)).toEqual([
      'TRANSACTION_START',
      'MESSAGE',
      'RUN_STARTED',
      'RUN_ERROR',
    ]);
  });
});

/** All that a person who looks would see, messages of errors and hidden fields included. */
function allOf(things: unknown): string {
  return inspect(things, {
    depth: Number.POSITIVE_INFINITY,
    getters: true,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
  });
}
