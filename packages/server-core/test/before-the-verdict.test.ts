import type { Authenticator, HAIPUser } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { answerTo, echo, entriesOf, seeEntry, sendHai, testServer, times, userOf } from './support.ts';

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

  test('A42: a 17th message, and 64 KiB and more, end the connection 4429', async () => {
    const { connect } = testServer({ authenticate: slowAuthenticator().authenticate });
    const many = connect();
    sendHai(many);
    for (let n = 0; n < 17; n++) many.send({ type: 'PING' });
    const large = connect();
    sendHai(large);
    large.send({ type: 'PING', payload: { fill: 'x'.repeat(64 * 1024) } });

    expect(await many.closed).toMatchObject({ code: 4429 });
    expect(await large.closed).toMatchObject({ code: 4429 });
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
      return userOf(auth.user);
    };
    const told: unknown[] = [];
    const curious = { ...echo, name: 'curious', onMessage: (turn: unknown) => void told.push(turn) };
    const { enter, history, logged } = testServer({ authenticate, tools: [curious] });
    const ada = await enter('ada', { auth: { user: 'ada', token: 'CANARY' } });
    const eve = await enter('eve', { auth: { user: 'eve', token: 'other' } });
    const started = ada.send({
      type: 'TRANSACTION_START',
      transaction: 'ref',
      payload: { toolName: 'curious', auth: { token: 'CANARY' } },
    });
    const { transaction } = await answerTo(ada, started);
    eve.send({ type: 'TRANSACTION_JOIN', transaction });
    const hello = {
      id: 'hello',
      transaction,
      session: ada.session,
      seq: '3',
      ts: '0',
      channel: 'USER',
      type: 'MESSAGE',
    };
    void ada.sendText(JSON.stringify({ ...hello, payload: 'hello', auth: 'CANARY' }));
    await seeEntry(eve, { payload: 'hello' });
    const page = await history.read(transaction as string, { from: 1 });

    expect(seen[0]).toBe('CANARY');
    const everything = JSON.stringify([ada.received, eve.received, page, logged, Object.keys(told)]);
    expect(everything).not.toContain('CANARY');
    expect(entriesOf(eve).map(({ type }) => type)).toEqual(['TRANSACTION_START', 'MESSAGE']);
  });
});
