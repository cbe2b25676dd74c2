import type { HistoryStore } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  codeOf,
  entriesOf,
  errorsOf,
  join,
  type LinkedPeer,
  say,
  see,
  seeEntry,
  sendHai,
  settled,
  start,
  type TestServerOptions,
  testServer,
  userOf,
} from './support.ts';
import { mute } from './tools.ts';

/** What a peer was told by verdicts nobody asked for. */
function unasked(peer: LinkedPeer): unknown[] {
  return peer.received
    .filter(({ type, related_id }) => type === 'TRANSACTION_JOIN' && related_id === undefined)
    .map(({ payload }) => payload);
}

const refusedVerdict = { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' };

/** Eve reads Ada's transaction, until `lose` has been done to her. */
async function reading(options: TestServerOptions = {}) {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  let permissions: Record<string, string[]> = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
  let verdict: Promise<void> = Promise.resolve();
  const authenticate: TestServerOptions['authenticate'] = async ({ user }: { user: string }) => {
    await verdict;
    return userOf(user, user === 'eve' ? { permissions } : {});
  };
  const test = testServer({ clock, history, tools: [mute], authenticate, ...options });
  const ada = await test.enter('ada');
  const { id } = await start(ada, 'mute');
  const eve = await test.enter('eve');
  return {
    ...test,
    history,
    ada,
    eve,
    id,
    ask: () => sendHai(eve, { auth: { user: 'eve' } }),
    async lose() {
      permissions = { MESSAGE: ['*'] };
      await answerTo(eve, sendHai(eve, { auth: { user: 'eve' } }));
    },
    losesNext() {
      permissions = { MESSAGE: ['*'] };
    },
    gains() {
      permissions = { MESSAGE: ['*'], TRANSACTION_JOIN: ['*'] };
    },
    holdVerdict() {
      const { promise, resolve } = Promise.withResolvers<void>();
      verdict = promise;
      return resolve;
    },
  };
}

describe('the right to read, once it is gone,', () => {
  test('[PERM-6] lets no page through that was being read for it', async () => {
    const { ada, eve, id, history, lose, clock } = await reading();
    for (let n = 0; n < 5; n++) await say(ada, id, `before ${n}`);
    const release = history.holdReads();
    eve.send({ type: 'TRANSACTION_JOIN', transaction: id });
    await lose();
    release();
    await clock.settle();

    expect(entriesOf(eve)).toEqual([]);
    expect(await codeOf(eve, eve.send({ type: 'MESSAGE', transaction: id, payload: 'x' }))).toBe(
      'TRANSACTION_NOT_FOUND',
    );
  });

  test('[PERM-6] stops a reader that is behind, and tells it so; what is left is not sent', async () => {
    const { ada, eve, id, lose, clock } = await reading();
    await join(eve, id);
    await say(ada, id, 'seen');
    await seeEntry(eve, { payload: 'seen' });
    eve.link.stall('down');
    for (let n = 0; n < 300; n++) ada.send({ type: 'MESSAGE', transaction: id, payload: 'x'.repeat(1000) });
    await settled(ada, ada.send({ type: 'PING' }));
    const losing = lose();
    await clock.settle();
    eve.link.resume('down');
    await losing;
    await clock.settle();
    const sent = entriesOf(eve).length;
    await say(ada, id, 'secret');
    await clock.settle();

    expect(sent).toBeLessThan(200);
    expect([entriesOf(eve).length, unasked(eve)]).toEqual([sent, [refusedVerdict]]);
  });

  test('[PERM-6] ends a replay between two entries', async () => {
    const { ada, eve, id, lose, clock } = await reading();
    for (let n = 0; n < 150; n++) ada.send({ type: 'MESSAGE', transaction: id, payload: 'x'.repeat(2000) });
    await settled(ada, ada.send({ type: 'PING' }));
    eve.link.stall('down');
    const asked = eve.send({ type: 'REPLAY_REQUEST', transaction: id, payload: { from_seq: '1' } });
    await clock.settle();
    const losing = lose();
    await clock.settle();
    eve.link.resume('down');
    await losing;
    const answer = await see(eve, ({ related_id }) => related_id === asked.id);

    expect(answer.payload).toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
    expect(entriesOf(eve).length).toBeLessThan(100);
  });

  test('[PERM-6] gives no verdict but refused to a JOIN that waited for the store', async () => {
    const { eve, id, history, lose } = await reading();
    const release = history.holdReads();
    const asked = eve.send({ type: 'TRANSACTION_JOIN', transaction: id });
    await lose();
    release();

    expect((await answerTo(eve, asked)).payload).toEqual(refusedVerdict);
  });

  test('[HAI-11] may come back: the next JOIN reads on', async () => {
    const { ada, eve, id, lose, gains, ask } = await reading();
    await join(eve, id);
    await lose();
    await say(ada, id, 'missed');
    gains();
    await answerTo(eve, ask());
    await join(eve, id);

    expect((await seeEntry(eve, { payload: 'missed' })).seq).toBe('3');
  });
});

test('[HAI-11] the old rights hold until new ones are granted', async () => {
  const { ada, eve, id, holdVerdict, losesNext, ask } = await reading();
  await join(eve, id);
  const decide = holdVerdict();
  losesNext();
  const asked = ask();
  await say(ada, id, 'still for eve');
  await seeEntry(eve, { payload: 'still for eve' });
  expect(unasked(eve)).toEqual([]);
  decide();
  await answerTo(eve, asked);

  await see(eve, ({ payload }) => payload.verdict === 'refused');
});

describe('a user who is disconnected', () => {
  test('A45: loses all connections, AUTHENTICATION_FAILED and 1008, and nobody else does [PERM-7]', async () => {
    const { enter, server, clock } = testServer();
    const [one, two, eve] = [await enter('ada'), await enter('ada'), await enter('eve')];
    await start(one);
    await server.disconnectUser('ada');

    for (const peer of [one, two]) {
      expect(await peer.closed).toMatchObject({ code: 1008 });
      expect(errorsOf(peer)).toEqual(['AUTHENTICATION_FAILED']);
    }
    await clock.settle();
    expect([eve.link.open, server.connections]).toEqual([true, 1]);
  });

  test('[PERM-7] has a void resume token, and a new session where the authenticator lets them in again', async () => {
    const { enter, server, clock } = testServer();
    const ada = await enter('ada');
    const token = ada.received[0]?.payload.resume_token;
    await server.disconnectUser('ada');
    await clock.advance(1);
    const back = await enter('ada', { resume_token: token });
    const again = await enter('ada', { resume_token: back.received[0]?.payload.resume_token });

    expect(back.session).not.toBe(ada.session);
    expect(again.session).toBe(back.session);
  });

  test('[PERM-7] does not slip in by a HAI that was being judged', async () => {
    const gate = Promise.withResolvers<void>();
    const { connect, server, clock } = testServer({
      authenticate: async ({ user }) => {
        await gate.promise;
        return userOf(user);
      },
    });
    const ada = connect();
    const answer = ada.hai({ auth: { user: 'ada' } });
    await clock.settle();
    await server.disconnectUser('ada');
    gate.resolve();

    expect((await answer).payload).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(await ada.closed).toMatchObject({ code: 1008 });
  });

  test('is disconnected here even when the store fails, which is told', async () => {
    const clock = fakeClock();
    const inner = testHistory(clock);
    const revoke: HistoryStore['revoke'] = () => Promise.reject(new Error('no store'));
    const { enter, server } = testServer({ clock, history: { ...inner, revoke } });
    const ada = await enter('ada');

    await expect(server.disconnectUser('ada')).rejects.toThrow('no store');
    expect(await ada.closed).toMatchObject({ code: 1008 });
  });
});

describe('two nodes that share a store', () => {
  /** As a store that several processes share, whose hints are all lost unless `hints` are given. */
  function nodes(hints?: { revoked?: ((user: string) => void) | undefined }, clock: FakeClock = fakeClock()) {
    const inner = heldStore(testHistory(clock));
    const history: HistoryStore = {
      ...inner,
      supports: { durable: false, shared: true },
      watch: (_, revoked) => {
        if (hints) hints.revoked = revoked;
        return () => {};
      },
    };
    const make = (): ReturnType<typeof testServer> => testServer({ clock, history, tools: [mute] });
    return { clock, one: make(), two: make(), inner };
  }

  test('F31: whose hints are lost find what the other appended within 10 s', async () => {
    const { clock, one, two } = nodes();
    const [ada, eve] = [await one.enter('ada'), await two.enter('eve')];
    const { id } = await start(ada, 'mute');
    await join(eve, id);
    await clock.advance(5_000);
    await say(ada, id, 'hello');
    await clock.advance(4_000);
    expect(entriesOf(eve).map(({ payload }) => payload)).not.toContain('hello');
    await clock.advance(6_000);

    expect(entriesOf(eve).map(({ payload }) => payload)).toContain('hello');
  });

  test('A45: a user disconnected on one is disconnected on the other within 10 s, hints or not [PERM-7]', async () => {
    const { clock, one, two } = nodes();
    const [here, there, eve] = [await one.enter('ada'), await two.enter('ada'), await two.enter('eve')];
    await one.server.disconnectUser('ada');
    expect(await here.closed).toMatchObject({ code: 1008 });
    await clock.advance(9_999);
    expect(there.link.open).toBe(true);
    await clock.advance(1);

    expect(await there.closed).toMatchObject({ code: 1008 });
    expect(eve.link.open).toBe(true);
  });

  test('A45: a hint that arrives disconnects at once', async () => {
    const hints: { revoked?: ((user: string) => void) | undefined } = {};
    const { two } = nodes(hints);
    const there = await two.enter('ada');
    hints.revoked?.('ada');

    expect(await there.closed).toMatchObject({ code: 1008 });
  });

  test('A45: who comes back after a hint is not ended again by what the check tells', async () => {
    const hints: { revoked?: ((user: string) => void) | undefined } = {};
    const { clock, one, two } = nodes(hints);
    const there = await two.enter('ada');
    await clock.advance(1_000);
    await one.server.disconnectUser('ada');
    hints.revoked?.('ada');
    expect(await there.closed).toMatchObject({ code: 1008 });
    await clock.advance(1_000);
    const back = await two.enter('ada');
    await clock.advance(20_000);

    expect(back.link.open).toBe(true);
  });

  test('F25: whose store does not answer the check ask again 10 s later', async () => {
    const { clock, one, two, inner } = nodes();
    const [ada, eve] = [await one.enter('ada'), await two.enter('eve')];
    const { id } = await start(ada, 'mute');
    await join(eve, id);
    await say(ada, id, 'hello');
    inner.failNext('heads');
    await clock.advance(20_000);

    expect(entriesOf(eve).map(({ payload }) => payload)).toContain('hello');
    expect([...one.logged, ...two.logged].map(({ event }) => event)).toEqual(['positions not checked']);
  });

  test('ask nothing, and hold no timer, while nobody is here', async () => {
    const { clock, one, two } = nodes();
    const ada = await one.enter('ada');
    await start(ada, 'mute');
    ada.link.cut();
    await clock.advance(20_000);

    expect([clock.pending, one.server.connections, two.server.connections]).toEqual([0, 0, 0]);
  });
});
