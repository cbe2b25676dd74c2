import { createPermissionMap, type HAIPUser } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bothStores } from './stores.ts';
import {
  answerTo,
  codeOf,
  entriesOf,
  errorsOf,
  join,
  say,
  see,
  seeEntry,
  settled,
  start,
  testServer,
  times,
  userOf,
} from './support.ts';
import { mute } from './tools.ts';

describe.each(bothStores)('a message sent again, over %s', (_, makeStore) => {
  async function setup() {
    const clock = fakeClock();
    const allowed: Partial<HAIPUser> = {};
    const test = testServer({
      clock,
      history: makeStore(clock),
      tools: [mute],
      authenticate: ({ user }) => userOf(user, allowed.permissions && { permissions: allowed.permissions }),
    });
    const ada = await test.enter('ada');
    const { id } = await start(ada, 'mute');
    return { ...test, ada, id, allowed };
  }

  test('F3 and F28: is settled as the first time and stored once [LOG-4]', async () => {
    const { ada, id, enter, history } = await setup();
    const position = await say(ada, id, 'once', 'key');
    const back = await enter('ada');
    await join(back, id);
    const again = back.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'once' });
    await settled(back, again);

    expect(await history.find(id, 'ada', 'key')).toMatchObject({ position });
    expect(await history.head(id)).toMatchObject({ last: 2 });
    expect(errorsOf(back)).toEqual([]);
  });

  test('[LOG-5] with another body is PROTOCOL_VIOLATION, and the first stays', async () => {
    const { ada, id, history } = await setup();
    await say(ada, id, { a: 1, b: [2] }, 'key');
    await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: { b: [2], a: 1 } }));
    const other = ada.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: { a: 1, b: [3] } });

    expect(
      (await see(ada, ({ type, related_id }) => type === 'ERROR' && related_id === other.id)).payload,
    ).toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      got: 'a used id',
    });
    expect((await history.read(id, { from: 2 }))?.entries).toMatchObject([{ payload: { a: 1, b: [2] } }]);
  });

  test('[LOG-8] is settled before any refusal is thought of: after the end', async () => {
    const { ada, id, enter } = await setup();
    await say(ada, id, 'once', 'key');
    await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
    const back = await enter('ada');
    await settled(back, back.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'once' }));
    const fresh = back.send({ type: 'MESSAGE', transaction: id, payload: 'new' });

    expect(await codeOf(back, fresh)).toBe('TRANSACTION_ENDED');
    expect(errorsOf(back)).toEqual(['TRANSACTION_ENDED']);
  });

  test('[LOG-8] is settled before any refusal is thought of: after the permission is lost', async () => {
    const { ada, id, enter, allowed } = await setup();
    await say(ada, id, 'once', 'key');
    Object.assign(allowed, { permissions: createPermissionMap({ TRANSACTION_JOIN: ['*'] }) });
    const back = await enter('ada');
    await settled(back, back.send({ type: 'MESSAGE', transaction: id, id: 'key', payload: 'once' }));
    const fresh = back.send({ type: 'MESSAGE', transaction: id, payload: 'new' });

    expect(await codeOf(back, fresh)).toBe('UNAUTHORIZED');
    expect(errorsOf(back)).toEqual(['UNAUTHORIZED']);
  });

  test('F26: what waits for the store is bounded, what went through it is not', async () => {
    const { ada, id, history } = await setup();
    for (let wave = 0; wave < 6; wave++) {
      const sent = times(5, () => ada.send({ type: 'MESSAGE', transaction: id, payload: 'x'.repeat(100 * 1024) }));
      for (const message of sent) await settled(ada, message);
    }

    expect(await history.head(id)).toMatchObject({ last: 31 });
  });

  test('[LOG-6] many messages of one connection are stored in the order it sent them', async () => {
    const { ada, id, history } = await setup();
    const sent = times(40, (n) => ada.send({ type: 'MESSAGE', transaction: id, payload: `${n}` }));
    for (const message of sent) await answerTo(ada, message);
    const page = await history.read(id, { from: 2 });

    expect(page?.entries.map(({ payload }) => payload)).toEqual(times(40, (n) => `${n}`));
  });
});

describe('what a user may write', () => {
  test('A55: a permission is an exact transaction id or *, and nothing that looks like it [PERM-1, PERM-5]', async () => {
    let granted: readonly string[] = [];
    const rights = () => ({ permissions: createPermissionMap({ MESSAGE: granted, TRANSACTION_JOIN: ['*'] }) });
    const { enter } = testServer({
      tools: [mute],
      authenticate: ({ user }) => userOf(user, user === 'eve' ? rights() : {}),
    });
    const ada = await enter('ada');
    const { id } = await start(ada, 'mute');
    const alike = [id, '*', `${id}*`, `${id.slice(0, -1)}*`, `${id}0`, id.slice(0, -1), id.toUpperCase(), `${id} `, ''];
    await fc.assert(
      fc.asyncProperty(fc.subarray(alike), async (grants) => {
        granted = grants;
        const eve = await enter('eve');
        const sent = eve.send({ type: 'MESSAGE', transaction: id, payload: 'hi' });
        await settled(eve, sent);
        expect(errorsOf(eve)).toEqual(grants.includes(id) || grants.includes('*') ? [] : ['UNAUTHORIZED']);
        eve.link.cut();
      }),
      { numRuns: 40 },
    );
  });

  test('A55: somebody who may not read it gets TRANSACTION_NOT_FOUND, as for one that is not there [PERM-5]', async () => {
    const permissions = createPermissionMap({ MESSAGE: ['*'], AUDIO: ['*'] });
    const { enter } = testServer({ authenticate: ({ user }) => userOf(user, user === 'eve' ? { permissions } : {}) });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    const forbidden = await answerTo(eve, eve.send({ type: 'MESSAGE', transaction: id, payload: 'x' }));
    const unknown = await answerTo(eve, eve.send({ type: 'MESSAGE', transaction: 'nowhere', payload: 'x' }));

    expect(forbidden.payload).toEqual(unknown.payload);
    expect(forbidden.payload).toMatchObject({ code: 'TRANSACTION_NOT_FOUND' });
  });

  test('[PERM-3] MESSAGE covers START, PART and END; AUDIO and MESSAGE_UPDATE stand alone', async () => {
    const { enter } = testServer({
      tools: [mute],
      authenticate: () => userOf('ada', { permissions: { MESSAGE: ['*'] } }),
    });
    const ada = await enter();
    const { id } = await start(ada, 'mute');
    const payload = { message_id: 'm', text: 'x' };
    for (const type of ['MESSAGE_START', 'MESSAGE_PART']) ada.send({ type, transaction: id, payload });
    await settled(ada, ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } }));
    expect(errorsOf(ada)).toEqual([]);
    const audio = ada.send({ type: 'AUDIO', transaction: id }, new Uint8Array(1));
    const update = ada.send({ type: 'MESSAGE_UPDATE', transaction: id, payload });

    expect([await codeOf(ada, audio), await codeOf(ada, update)]).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED']);
  });

  const spoofed = ['MESSAGE', 'MESSAGE_START', 'MESSAGE_UPDATE', 'AUDIO', 'TOOL_CALL'];
  test.each(spoofed.flatMap((type) => ['AGENT', 'SYSTEM', 'OTHER'].map((channel) => [type, channel] as const)))(
    'A59: %s on channel %s is UNAUTHORIZED, unless authentication gave that channel [ENV-18]',
    async (type, channel) => {
      const { enter } = testServer({
        tools: [mute],
        authenticate: ({ user }) => userOf(user, user === 'eve' ? { channels: ['USER', channel] } : {}),
      });
      const payload = { message_id: 'm', text: 'x', call_id: 'c', tool: 't', data: 'AAAA' };
      const answers = [];
      for (const user of ['ada', 'eve']) {
        const peer = await enter(user);
        const { id } = await start(peer, 'mute');
        await settled(peer, peer.send({ type, transaction: id, channel, payload }));
        answers.push(errorsOf(peer));
      }

      expect(answers).toEqual([['UNAUTHORIZED'], []]);
    },
  );

  test('A59: on types that are not speech the channel is stamped', async () => {
    const { enter } = testServer();
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    await join(eve, id);
    ada.send({ type: 'TRANSACTION_END', transaction: id, channel: 'AGENT' });

    expect((await seeEntry(eve, { type: 'TRANSACTION_END' })).channel).toBe('SYSTEM');
  });

  test('A60: two users may use one id; neither suppresses the other, and nothing claimed is believed [ENV-17]', async () => {
    const { enter, clock } = testServer({ tools: [mute] });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada, 'mute');
    await join(eve, id);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3 })), { maxLength: 12 }),
        async (moves) => {
          const run = `run-${clock.monotonic()}`;
          await clock.advance(1);
          const expected = new Set<string>();
          for (const [isAda, key] of moves) {
            const [peer, victim] = isAda ? [ada, eve] : [eve, ada];
            const payload = `${run} ${isAda ? 'ada' : 'eve'} ${key}`;
            expected.add(payload);
            const claimed = { session: victim.session, ts: '1', ack: '99' };
            await settled(
              peer,
              peer.send({ type: 'MESSAGE', transaction: id, id: `${run}-${key}`, payload, ...claimed }),
            );
          }
          await clock.settle();
          for (const [peer, other] of [
            [ada, eve],
            [eve, ada],
          ] as const) {
            const theirs = entriesOf(peer).filter(
              ({ payload }) => typeof payload === 'string' && payload.startsWith(`${run} `),
            );
            const name = other === eve ? 'eve' : 'ada';
            expect(new Set(theirs.map(({ payload }) => payload))).toEqual(
              new Set([...expected].filter((text) => text.includes(name))),
            );
            for (const { session, ts } of theirs) expect([session, ts]).toEqual([other.session, String(clock.now())]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
