import type { HAIPUser } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  codeOf,
  errorsOf,
  join,
  type LinkedPeer,
  say,
  see,
  sendHai,
  settled,
  start,
  testServer,
  userOf,
} from './support.ts';
import { mute, toolThat } from './tools.ts';

/** A later HAI: asks again what the user may do. */
async function refresh(peer: LinkedPeer, user: string): Promise<void> {
  await answerTo(peer, sendHai(peer, { auth: { user } }));
}

describe('rights that are taken away', () => {
  /** Eve was let into Ada's transaction and wrote there; then she loses these rights. */
  async function lost(rights: readonly string[]) {
    let left: Partial<HAIPUser> = {};
    const authenticate = ({ user }: { user: string }) => userOf(user, user === 'eve' ? left : {});
    const test = testServer({ tools: [mute], authenticate });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'mute');
    const eve = await test.enter('eve');
    await join(eve, id);
    await say(eve, id, 'once', 'key');
    const permissions = Object.fromEntries(
      ['TRANSACTION_JOIN', 'MESSAGE'].filter((type) => !rights.includes(type)).map((type) => [type, ['*']]),
    );
    left = { permissions };
    await refresh(eve, 'eve');
    return { ...test, eve, id };
  }

  const losses: readonly [name: string, rights: readonly string[], code: string][] = [
    ['write', ['MESSAGE'], 'UNAUTHORIZED'],
    ['read and write', ['MESSAGE', 'TRANSACTION_JOIN'], 'TRANSACTION_NOT_FOUND'],
  ];

  test.each(losses)(
    '[LOG-8] to %s refuse nothing that is stored already, here or on a fresh connection',
    async (...loss) => {
      const [, rights, code] = loss;
      const { eve, id, enter, history } = await lost(rights);
      for (const peer of [eve, await enter('eve')]) {
        await settled(peer, peer.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'once' }));
        expect(errorsOf(peer)).toEqual([]);
        expect(await codeOf(peer, peer.send({ type: 'MESSAGE', transaction: id, payload: 'new' }))).toBe(code);
      }

      expect(await history.head(id)).toMatchObject({ last: 3 });
    },
  );

  test('[PERM-4] to read are said by the verdict on what was being read', async () => {
    const { eve, id } = await lost(['TRANSACTION_JOIN']);
    const verdict = await see(eve, ({ type, payload }) => type === 'TRANSACTION_JOIN' && payload.verdict === 'refused');

    expect([verdict.transaction, verdict.related_id, verdict.payload]).toEqual([
      id,
      undefined,
      { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' },
    ]);
  });
});

describe('credentials that expire', () => {
  async function expiring(lifeMs: number) {
    const clock = fakeClock();
    const test = testServer({
      clock,
      authenticate: ({ user }) => userOf(user, { expiresAt: clock.now() + lifeMs }),
    });
    const ada = await test.enter('ada');
    return { ...test, ada };
  }

  test('A45: end the connection at their time: AUTHENTICATION_FAILED and 1008', async () => {
    const { clock, ada } = await expiring(15_000);
    await clock.advance(14_999);
    expect(ada.link.open).toBe(true);
    await clock.advance(1);

    expect(await ada.closed).toMatchObject({ code: 1008 });
    expect(errorsOf(ada)).toEqual(['AUTHENTICATION_FAILED']);
    expect(clock.pending).toBe(0);
  });

  test('A45: are renewed by a later HAI: the connection lives for their new time', async () => {
    const { clock, ada } = await expiring(15_000);
    await clock.advance(10_000);
    await refresh(ada, 'ada');
    await clock.advance(14_999);
    expect(ada.link.open).toBe(true);
    await clock.advance(1);

    expect(await ada.closed).toMatchObject({ code: 1008 });
  });

  test('A45: may last longer than any timer can', async () => {
    const { clock, ada } = await expiring(2 ** 31 + 5_000);
    expect([clock.pending, ada.link.open]).toEqual([2, true]);
    await clock.advance(15_000);

    expect([ada.link.open, errorsOf(ada)]).toEqual([true, []]);
  });
});

describe('one transaction more than a connection may have at once', () => {
  async function full() {
    const test = testServer({ tools: [mute], limits: { maxJoined: 2 } });
    const other = await test.enter('ada');
    const { id } = await start(other, 'mute');
    await say(other, id, 'once', 'key');
    const ada = await test.enter('ada');
    for (let n = 0; n < 2; n++) await start(ada, 'mute');
    return { ...test, ada, id };
  }

  test('[ACK-10] refuses its messages for good, so that nobody tries again', async () => {
    const { ada, id } = await full();
    const { payload } = await answerTo(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'new' }));

    expect([payload.code, payload.retry]).toEqual(['RUN_LIMIT_EXCEEDED', false]);
  });

  test('[LOG-8] settles a message that is stored there already', async () => {
    const { ada, id, history } = await full();
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'once' }));

    expect(errorsOf(ada)).toEqual([]);
    expect(await history.head(id)).toMatchObject({ last: 2 });
  });
});

test('[ACK-10] TOOL_CANCEL passes while a message of its author waits to be sent again', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const { enter } = testServer({ clock, history, tools: [mute] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'mute');
  const call = ada.send({ type: 'TOOL_CALL', transaction: id, payload: { call_id: 'c', tool: 'search', params: {} } });
  expect((await answerTo(ada, call)).payload.kind).toBe('receipt');
  history.failNext('append');
  await expect(say(ada, id, 'waits')).rejects.toThrow('OVERLOADED');
  const cancel = ada.send({ type: 'TOOL_CANCEL', transaction: id, payload: { call_id: 'c' } });

  expect((await answerTo(ada, cancel)).payload.kind).toBe('receipt');
});

test('[LOG-8] a message that is still being stored from a connection that ended is not refused meanwhile', async () => {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  let rights: Partial<HAIPUser> = {};
  const authenticate = ({ user }: { user: string }) => userOf(user, user === 'eve' ? rights : {});
  const { enter } = testServer({ clock, history, tools: [mute], authenticate });
  const ada = await enter('ada');
  const { id } = await start(ada, 'mute');
  const eve = await enter('eve');
  await join(eve, id);
  const release = history.hold(id);
  eve.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'hello' });
  await clock.settle();
  eve.link.cut();
  rights = { permissions: {} };
  const back = await enter('eve');
  const again = back.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'hello' });
  await clock.settle();
  expect(errorsOf(back)).toEqual([]);
  release();
  await settled(back, again);

  expect([errorsOf(back), (await history.find(id, 'eve', 'key'))?.position]).toEqual([[], 3]);
});

test("a user's claims are there for the tool at their first message, before its author's append has answered", async () => {
  const clock = fakeClock();
  const inner = testHistory(clock);
  const gate = Promise.withResolvers<void>();
  const told: unknown[] = [];
  const tool = toolThat((turn) => void told.push(turn.user.claims));
  const history = {
    ...inner,
    append: (...given: Parameters<typeof inner.append>) => {
      void inner.append(...given);
      return gate.promise;
    },
  };
  const { enter } = testServer({
    clock,
    history,
    tools: [tool],
    authenticate: ({ user }) => userOf(user, { claims: { role: 'pilot' } }),
  });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  const first = ada.send({ type: 'MESSAGE', transaction: id, payload: 'hello' });
  await clock.settle();
  const again = await enter('ada');
  await join(again, id);
  await clock.settle();
  gate.resolve();
  await settled(ada, first);

  expect(told).toEqual([{ role: 'pilot' }]);
});
