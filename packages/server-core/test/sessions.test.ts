import { hmacSigner } from '@haip/platform';
import type { Authenticator, HAIPUser, HistoryStore } from '@haip/protocol';
import { createPermissionMap } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  entriesOf,
  errorsOf,
  join,
  type LinkedPeer,
  say,
  settled,
  start,
  testServer,
  testSigner,
  userOf,
} from './support.ts';

function tokenOf(peer: LinkedPeer): string {
  return peer.received.findLast(({ type }) => type === 'HAI')?.payload.resume_token;
}

function again(peer: LinkedPeer, user = 'ada') {
  return answerTo(peer, peer.send({ type: 'HAI', payload: { auth: { user } } }));
}

describe('a resume token', () => {
  test('[HAI-13] keeps the session of the same user, on a connection that comes later', async () => {
    const { enter } = testServer({ signer: hmacSigner() });
    const first = await enter();
    first.link.cut();
    const second = await enter('ada', { resume_token: tokenOf(first), attempt: '1' });

    expect(second.session).toBe(first.session);
  });

  test('A43: a session id that a client proposes is ignored', async () => {
    const { connect, enter } = testServer();
    const victim = await enter('ada');
    const peer = connect();
    peer.send({ type: 'HAI', session: victim.session, payload: { auth: { user: 'eve' }, session: victim.session } });
    const hai = await peer.until('HAI');

    expect(hai.session).not.toBe(victim.session);
    expect((await start(victim)).id).toBeTruthy();
  });

  const worthless: [string, (token: string, session: string) => unknown][] = [
    ["another user's", (token) => token],
    ['a forged one', (_, session) => `${session}.AAAAAAAAAAAAAAAAAAAAAA`],
    ['a session id alone', (_, session) => session],
    ['one of another server', (_, session) => `${session}.${testSigner('other').sign(session)}`],
    ['one cut short', (token) => token.slice(0, -1)],
    ['an empty one', () => ''],
    ['a dot', () => '.'],
  ];
  test.each(worthless)('F48, F49 and A44: %s counts as none [HAI-14]', async (name, forge) => {
    const { enter, server } = testServer({ signer: hmacSigner() });
    const ada = await enter('ada');
    const { id, epoch } = await start(ada);
    await say(ada, id, 'mine');
    const user = name === "another user's" ? 'eve' : 'ada';
    const token = forge(tokenOf(ada), ada.session);
    const peer = await enter(user, {
      resume_token: token,
      attempt: '9',
      resume: [{ transaction: id, epoch, seq: '1' }],
    });

    expect(peer.session).not.toBe(ada.session);
    expect(server.connections).toBe(2);
    // The cursor is the client's and the log the store's: a verdict comes all the same.
    expect((await peer.until('TRANSACTION_JOIN')).payload).toMatchObject({ verdict: 'resumed', seq: '1' });
  });

  test('[HAI-14] has at least 128 bits that no one can guess', async () => {
    const { enter } = testServer({ signer: hmacSigner() });
    const [one, two] = [await enter(), await enter()];
    const secret = (peer: LinkedPeer) => tokenOf(peer).slice(tokenOf(peer).lastIndexOf('.') + 1);

    expect(secret(one)).toMatch(/^[A-Za-z0-9_-]{22,}$/);
    expect(secret(one)).not.toBe(secret(two));
  });
});

describe('two connections of one session', () => {
  test.each([
    ['a higher', '2', 'second'],
    ['the same', '1', 'second'],
    ['a lower', '0', 'first'],
  ])(
    'F18 and F50: of one with %s attempt the newer lives, the other is closed 4409 [HAI-15]',
    async (_, attempt, lives) => {
      const { enter, connect, server } = testServer();
      const origin = await enter('ada');
      const first = await enter('ada', { resume_token: tokenOf(origin), attempt: '1' });
      expect(await origin.closed).toMatchObject({ code: 4409 });
      const second = connect();
      second.send({
        type: 'HAI',
        payload: {
          auth: { user: 'ada' },
          resume_token: tokenOf(first),
          attempt,
          capabilities: { transaction_log: true },
        },
      });
      const [living, fenced] = lives === 'second' ? [second, first] : [first, second];

      expect(await fenced.closed).toMatchObject({ code: 4409 });
      if (lives === 'second') await second.until('HAI');
      expect(living.session).toBe(origin.session);
      expect((await start(living)).id).toBeTruthy();
      expect(server.connections).toBe(1);
    },
  );

  test('F18: of two with the same HAI the one that came last lives, whichever was judged first [HAI-15]', async () => {
    const judged: (() => void)[] = [];
    const authenticate: Authenticator = () =>
      new Promise((resolve) => {
        judged.push(() => resolve(userOf('ada')));
      });
    const { connect, server, clock } = testServer({ authenticate });
    const hai = { type: 'HAI', id: 'h', payload: { auth: {}, capabilities: { transaction_log: true } } };
    const origin = connect();
    origin.send(hai);
    await clock.settle();
    judged[0]?.();
    await origin.until('HAI');
    const resumed = { ...hai, payload: { ...hai.payload, resume_token: tokenOf(origin), attempt: '1' } };
    const [first, last] = [connect(), connect()];
    first.send(resumed);
    await clock.settle();
    last.send(resumed);
    await clock.settle();
    judged[2]?.();
    await last.until('HAI');
    judged[1]?.();

    expect(await first.closed).toMatchObject({ code: 4409 });
    expect((await start(last)).id).toBeTruthy();
    expect(server.connections).toBe(1);
  });

  test('[HAI-18] each item of resume is answered by a verdict that names the HAI', async () => {
    const { enter } = testServer();
    const ada = await enter();
    const [one, two] = [await start(ada, 'echo', { n: 1 }), await start(ada, 'echo', { n: 2 })];
    await say(ada, one.id, 'hello');
    const back = await enter('ada', {
      resume_token: tokenOf(ada),
      resume: [
        { transaction: one.id, epoch: one.epoch, seq: '1' },
        { transaction: 'nowhere', epoch: one.epoch, seq: '1' },
        { transaction: two.id, epoch: two.epoch, seq: '9' },
      ],
    });
    await settled(back, back.send({ type: 'PING' }));
    const verdicts = back.received.filter(({ payload }) => payload.verdict !== undefined);
    const hai = back.received.find(({ type }) => type === 'HAI')?.related_id;

    expect(verdicts.map(({ transaction, payload }) => [transaction, payload.verdict]).toSorted()).toEqual(
      [
        [one.id, 'resumed'],
        [two.id, 'gap'],
        ['nowhere', 'refused'],
      ].toSorted(),
    );
    expect(verdicts.map(({ related_id }) => related_id)).toEqual([hai, hai, hai]);
  });
});

describe('a later HAI on the connection', () => {
  /** A server whose users' rights the test changes. */
  function changingRights(history?: HistoryStore, clock = fakeClock()) {
    const rights = new Map<string, Partial<HAIPUser> | null>();
    const authenticate: Authenticator = (auth) => {
      const change = rights.get(auth.user);
      return change === null ? null : userOf(auth.user, change);
    };
    return { ...testServer({ authenticate, clock, ...(history && { history }) }), rights };
  }

  test('[HAI-11] of the same user gives more rights', async () => {
    const { enter, rights } = changingRights();
    rights.set('ada', { permissions: {} });
    const ada = await enter();
    const { id } = await start(ada);
    await expect(say(ada, id, 'too early')).rejects.toThrow('UNAUTHORIZED');
    rights.set('ada', { permissions: createPermissionMap({ MESSAGE: ['*'] }) });
    const hai = await again(ada);

    expect(hai).toMatchObject({ type: 'HAI', session: ada.session });
    expect(await say(ada, id, 'now')).toBe(2);
  });

  test('[HAI-11] of the same user gives fewer rights, and a token for the session it goes on with', async () => {
    const { enter, rights } = changingRights();
    const ada = await enter();
    const { id } = await start(ada);
    await say(ada, id, 'allowed');
    rights.set('ada', { permissions: {} });
    await again(ada);
    await expect(say(ada, id, 'not allowed')).rejects.toThrow('UNAUTHORIZED');
    rights.delete('ada');
    const back = await enter('ada', { resume_token: tokenOf(ada) });

    expect(back.session).toBe(ada.session);
  });

  test('[PERM-4] takes the right to read away: the reader stops, and the transaction is unknown', async () => {
    const { enter, rights, clock } = changingRights();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    await say(ada, id, 'both see this');
    await eve.until(({ payload }) => payload === 'both see this');
    rights.set('eve', { permissions: { MESSAGE: ['*'] } });
    await again(eve, 'eve');
    await say(ada, id, 'a secret');
    await clock.settle();

    await expect(say(eve, id, 'hello?')).rejects.toThrow('TRANSACTION_NOT_FOUND');
    expect(JSON.stringify(eve.received)).not.toContain('a secret');
  });

  test('[PERM-4] that takes the right to read away stops what is being read at that moment', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter, rights } = changingRights(history, clock);
    const ada = await enter('ada');
    const { id } = await start(ada);
    const eve = await enter('eve', {}, { highWaterBytes: 500 });
    await join(eve, id);
    eve.link.stall('down');
    for (let n = 0; n < 400; n++) await say(ada, id, `text ${n}`);
    const release = history.holdReads();
    eve.link.resume('down');
    await clock.settle();
    const before = entriesOf(eve).length;
    rights.set('eve', { permissions: {} });
    await again(eve, 'eve');
    release();
    await clock.settle();

    expect(before).toBeLessThan(400);
    expect(entriesOf(eve)).toHaveLength(before);
  });

  test('[HAI-11] that is refused is an ERROR, and the old rights hold', async () => {
    const { enter, rights } = changingRights();
    const ada = await enter();
    const { id } = await start(ada);
    rights.set('ada', null);

    expect(await again(ada)).toMatchObject({ type: 'ERROR', payload: { code: 'AUTHENTICATION_FAILED' } });
    expect(await say(ada, id, 'still here')).toBe(2);
  });

  test('A38: of another user is refused and closes 1008 [HAI-12]', async () => {
    const { enter } = testServer();
    const ada = await enter();

    expect((await again(ada, 'eve')).payload).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    expect(await ada.closed).toMatchObject({ code: 1008 });
  });

  test('A37: behind another one that is pending ends the connection 4429', async () => {
    const { enter, server } = testServer();
    const ada = await enter();
    server.authenticate(() => new Promise(() => {}));
    ada.send({ type: 'HAI' });
    ada.send({ type: 'HAI' });

    expect(await ada.closed).toMatchObject({ code: 4429 });
  });

  test('F20: that is the first one again is ignored and rewinds nothing', async () => {
    const { enter, clock } = testServer();
    const ada = await enter();
    const { id, epoch } = await start(ada);
    await say(ada, id, 'hello');
    await ada.until('MESSAGE');
    const before = entriesOf(ada).length;
    const hai = ada.received.find(({ type }) => type === 'HAI')?.related_id as string;
    const resume = [{ transaction: id, epoch, seq: '0' }];
    const repeated = ada.send({ type: 'HAI', id: hai, payload: { auth: { user: 'ada' }, resume } });
    await settled(ada, repeated);
    await again(ada);
    await clock.settle();

    expect(entriesOf(ada)).toHaveLength(before);
    expect(errorsOf(ada)).toEqual([]);
  });
});

test('A44: knowing the session id of somebody gives nothing', async () => {
  const { enter, clock } = testServer();
  const [ada, eve] = [await enter('ada'), await enter('eve')];
  const { id } = await start(ada);
  eve.send({ type: 'MESSAGE', transaction: id, session: ada.session, payload: 'from ada?' });
  const entry = await ada.until('MESSAGE');
  await clock.settle();

  expect(entry.session).toBe(eve.session);
});

test('[LOG-7] a store that lost its log has another epoch, and a resume across it is refused', async () => {
  const one = testServer();
  const ada = await one.enter();
  const { id, epoch } = await start(ada);
  const two = testServer({ clock: one.clock, history: testHistory(one.clock) });
  const back = await two.enter();
  const verdict = await join(back, id, { epoch, seq: '1' });

  expect(verdict.payload).toEqual({ verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' });
  expect((await start(back)).epoch).not.toBe(epoch);
});
