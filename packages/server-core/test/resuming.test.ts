import { createPermissionMap } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { entriesOf, expectContiguous, join, say, seeEntry, settled, start, testServer, userOf } from './support.ts';

describe('a verdict on a cursor', () => {
  async function setup() {
    const test = testServer({ history: { windowSize: 10 } });
    const ada = await test.enter('ada');
    const { id, epoch } = await start(ada);
    for (let n = 0; n < 20; n++) await say(ada, id, `text ${n}`);
    await seeEntry(ada, { payload: 'text 19' });
    await test.clock.settle();
    const reader = await test.enter('ada');
    const { first = 0, last = 0 } = (await test.history.head(id)) ?? {};
    return { ...test, id, epoch, first, last, reader };
  }

  type Case = Awaited<ReturnType<typeof setup>>;
  const cases: [string, (c: Case) => object, (c: Case) => object][] = [
    [
      '[JOIN-2] without a cursor: resumed from the first',
      () => ({}),
      ({ epoch, first, last }) => ({ verdict: 'resumed', epoch, seq: `${first - 1}`, last: `${last}` }),
    ],
    [
      '[JOIN-2] with the epoch alone: resumed from the first',
      ({ epoch }) => ({ epoch }),
      ({ epoch, first, last }) => ({ verdict: 'resumed', epoch, seq: `${first - 1}`, last: `${last}` }),
    ],
    [
      '[JOIN-3] inside the window: resumed there',
      ({ epoch, last }) => ({ epoch, seq: `${last - 2}` }),
      ({ epoch, last }) => ({ verdict: 'resumed', epoch, seq: `${last - 2}`, last: `${last}` }),
    ],
    [
      '[JOIN-3] just before the window: resumed',
      ({ epoch, first }) => ({ epoch, seq: `${first - 1}` }),
      ({ epoch, first, last }) => ({ verdict: 'resumed', epoch, seq: `${first - 1}`, last: `${last}` }),
    ],
    [
      '[JOIN-3] at the last position: resumed',
      ({ epoch, last }) => ({ epoch, seq: `${last}` }),
      ({ epoch, last }) => ({ verdict: 'resumed', epoch, seq: `${last}`, last: `${last}` }),
    ],
    [
      'F44: before the window: gap [JOIN-4]',
      ({ epoch, first }) => ({ epoch, seq: `${first - 2}` }),
      ({ epoch, first, last }) => ({ verdict: 'gap', epoch, first: `${first}`, last: `${last}` }),
    ],
    [
      'F51: beyond the last position: gap from behind it [JOIN-5]',
      ({ epoch, last }) => ({ epoch, seq: `${last + 1}` }),
      ({ epoch, last }) => ({ verdict: 'gap', epoch, first: `${last + 1}`, last: `${last}` }),
    ],
    [
      'F51: far beyond: gap from behind it',
      ({ epoch }) => ({ epoch, seq: '18446744073709551615' }),
      ({ epoch, last }) => ({ verdict: 'gap', epoch, first: `${last + 1}`, last: `${last}` }),
    ],
    [
      '[JOIN-6] with another epoch: gap from the begin',
      ({ last }) => ({ epoch: 'another', seq: `${last}` }),
      ({ epoch, first, last }) => ({ verdict: 'gap', epoch, first: `${first}`, last: `${last}` }),
    ],
    [
      '[JOIN-6] with a seq and no epoch: gap from the begin',
      ({ last }) => ({ seq: `${last}` }),
      ({ epoch, first, last }) => ({ verdict: 'gap', epoch, first: `${first}`, last: `${last}` }),
    ],
  ];

  test.each(cases)('%s', async (_, cursor, expected) => {
    const prepared = await setup();
    const { reader, id, clock } = prepared;
    const verdict = await join(reader, id, cursor(prepared) as never);
    await clock.settle();
    const wanted = expected(prepared) as { verdict: string; seq: string; first: string };

    expect(verdict).toMatchObject({ type: 'TRANSACTION_JOIN', transaction: id, seq: '0', payload: wanted });
    expect(Object.keys(verdict.payload)).toEqual(Object.keys(wanted));
    expect(reader.received.filter(({ type }) => type === 'TRANSACTION_JOIN')).toHaveLength(1);
    const begin = wanted.verdict === 'gap' ? Number(wanted.first) - 1 : Number(wanted.seq);
    expectContiguous(reader, id, begin);
    expect(entriesOf(reader)).toHaveLength(prepared.last - begin);
  });

  test('[JOIN-2] on a transaction that has ended and was read to its end reads it anew', async () => {
    const { reader, id, clock, last } = await setup();
    await join(reader, id);
    await settled(reader, reader.send({ type: 'TRANSACTION_END', transaction: id }));
    await clock.settle();
    const verdict = await join(reader, id);
    await clock.settle();

    expect(verdict.payload).toMatchObject({ verdict: 'resumed', last: `${last + 1}` });
    const again = entriesOf(reader).filter(({ type }) => type === 'TRANSACTION_END');
    expect(again).toHaveLength(1);
    expect(Number(again[0]?.seq)).toBe(last + 1);
  });

  test('[JOIN-1] on a transaction that is read already says how far, and reads nothing twice', async () => {
    const { reader, id, epoch, clock, last } = await setup();
    await join(reader, id);
    await clock.settle();
    const before = entriesOf(reader).length;
    const verdict = await join(reader, id, { epoch, seq: '0' });
    await clock.settle();

    expect(verdict.payload).toEqual({ verdict: 'resumed', epoch, seq: `${last}`, last: `${last}` });
    expect(entriesOf(reader)).toHaveLength(before);
  });

  test('A57: unknown, forbidden and malformed look alike: refused [JOIN-8, PERM-4]', async () => {
    const authenticate = (auth: { user: string }) =>
      userOf(
        auth.user,
        auth.user === 'eve'
          ? { permissions: createPermissionMap({ MESSAGE: ['*'], TRANSACTION_JOIN: ['other'] }) }
          : {},
      );
    const { enter } = testServer({ authenticate });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id, epoch } = await start(ada);
    const answers = [];
    for (const transaction of [id, 'nowhere', `${id}x`, id.slice(0, -1)]) {
      const verdict = await join(eve, transaction, { epoch, seq: '0' });
      expect(verdict.transaction).toBe(transaction);
      answers.push([verdict.type, verdict.payload]);
    }

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual(['TRANSACTION_JOIN', { verdict: 'refused', code: 'TRANSACTION_NOT_FOUND' }]);
    expect(eve.received.filter(({ seq }) => seq !== '0')).toEqual([]);
  });

  test('F25: of a store that fails is OVERLOADED, and comes when asked again', async () => {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const { enter } = testServer({ clock, history });
    const [ada, eve] = [await enter('ada'), await enter('eve')];
    const { id } = await start(ada);
    for (const method of ['append', 'read'] as const) {
      history.failNext(method);
      expect((await join(eve, id)).payload).toMatchObject({ code: 'OVERLOADED', retry: true });
    }

    expect((await join(eve, id)).payload).toMatchObject({ verdict: 'resumed' });
    await settled(eve, eve.send({ type: 'PING' }));
  });
});
