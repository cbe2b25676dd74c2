import type { CreditLedger } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { CreditsOptions } from '../src/index.ts';
import { lateLedger, watchedLedger } from './ledgers.ts';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  codeOf,
  errorsOf,
  join,
  type LinkedPeer,
  say,
  see,
  seeEntry,
  sendHai,
  settled,
  start,
  testServer,
  times,
  userOf,
} from './support.ts';
import { mute } from './tools.ts';

const ledgers: readonly [name: string, wrap: (inner: CreditLedger) => CreditLedger][] = [
  ['that is done at once', (inner) => inner],
  ['that is late', (inner) => lateLedger(inner, () => 0.5)],
];

/** What a peer was told of its balance, in order. */
function balances(peer: LinkedPeer): number[] {
  return peer.received.filter(({ payload }) => payload.kind === 'balance').map(({ payload }) => payload.credits);
}

/** Ada with a few credits in a transaction that answers nothing. */
async function paying(credits: number, wrap = (inner: CreditLedger) => inner, options: CreditsOptions = {}) {
  const clock = fakeClock();
  const history = heldStore(testHistory(clock));
  const inner = watchedLedger(clock);
  const ledger = wrap(inner);
  const rights: Record<string, Parameters<typeof userOf>[1]> = {};
  const test = testServer({
    clock,
    history,
    credits: { ledger, ...options },
    tools: [mute, { name: 'strict', input: v.string() }],
    authenticate: ({ user }) => userOf(user, { credits, ...rights[user] }),
  });
  const ada = await test.enter('ada');
  const { id } = await start(ada, 'strict');
  const write = (key: string, payload: string | number = key, peer = ada) =>
    peer.send({ type: 'MESSAGE', transaction: id, id: key, payload });
  return { ...test, history, ledger, inner, rights, ada, id, write, left: () => test.server.credits.balance('ada') };
}

describe.each(ledgers)('an account in a ledger %s', (_, wrap) => {
  test('[FLOW-5] pays 1 for each message; what it cannot pay is INSUFFICIENT_CREDITS and not stored', async () => {
    const { ada, id, write, history, left } = await paying(2, wrap);
    const sent = ['one', 'two', 'three', 'four'].map((key) => write(key));
    const answers = await Promise.all(sent.map((message) => answerTo(ada, message)));

    expect(answers.map(({ payload }) => payload.kind ?? [payload.code, payload.retry])).toEqual([
      'receipt',
      'receipt',
      ['INSUFFICIENT_CREDITS', true],
      ['INSUFFICIENT_CREDITS', true],
    ]);
    expect([await left(), (await history.head(id))?.last]).toEqual([0, 3]);
  });

  test('[ACK-10] that is filled up lets the same message pass, in its author’s order', async () => {
    const { ada, id, write, server, history } = await paying(0, wrap);
    const refused = [write('one'), write('two')];
    for (const message of refused) expect(await codeOf(ada, message)).toBe('INSUFFICIENT_CREDITS');
    expect(await server.credits.grant('ada', 2)).toBe(2);
    const [, two] = [write('one'), write('two')];
    await settled(ada, two);

    expect((await history.read(id, { from: 2 }))?.entries.map(({ id: key }) => key)).toEqual(['one', 'two']);
    expect(await server.credits.balance('ada')).toBe(0);
  });

  test('[LOG-8] that is empty settles a retry of what is stored', async () => {
    const { ada, write, left } = await paying(1, wrap);
    await settled(ada, write('key'));
    await settled(ada, write('key'));

    expect([errorsOf(ada), await left()]).toEqual([[], 0]);
  });

  test('[LOG-8] that is empty settles a retry of what was paid so long ago that its key is forgotten', async () => {
    const { ada, write, left, ledger, clock } = await paying(2, wrap);
    await settled(ada, write('key'));
    // As if the key had been forgotten: the ledger takes it for a message never paid.
    await ledger.undo('ada', `${(await answerTo(ada, { id: 'key' })).transaction} key`);
    await ledger.debit('ada', 'all', 1);
    await settled(ada, write('key'));
    await clock.settle();

    expect([errorsOf(ada), await left()]).toEqual([[], 1]);
  });

  test.each(['before', 'after'] as const)(
    '[FLOW-5] pays once for a message whose append failed %s it was stored, however often it is sent',
    async (when) => {
      const { ada, write, history, left } = await paying(5, wrap);
      history.failNext('append', when);
      expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
      expect(await left()).toBe(4);
      await settled(ada, write('key'));
      await settled(ada, write('key'));

      expect(await left()).toBe(4);
    },
  );

  test('[CREDIT-1] gets back what was taken for a message that is refused for good later', async () => {
    const { ada, write, history, left, rights, clock } = await paying(5, wrap);
    history.failNext('append', 'before');
    expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
    rights['ada'] = { permissions: {} };
    await answerTo(ada, sendHai(ada, { auth: { user: 'ada' } }));
    const again = write('key');
    await see(ada, ({ payload }) => payload.code === 'UNAUTHORIZED');
    await settled(ada, again);
    await clock.settle();

    expect(await left()).toBe(5);
  });

  test('[CREDIT-1] gets back what was taken for a message that the store refuses', async () => {
    const { ada, write, history, left, id, clock } = await paying(5, wrap);
    // The transaction ended where this node has not looked yet.
    await history.append(id, [
      {
        id: 'end',
        user: null,
        session: 's',
        ts: 0,
        channel: 'SYSTEM',
        type: 'TRANSACTION_END',
        payload: {},
        size: 1,
        digest: '',
      },
    ]);
    expect(await codeOf(ada, write('key'))).toBe('TRANSACTION_ENDED');
    await clock.settle();

    expect(await left()).toBe(5);
  });

  test('[CREDIT-1] does not get back what a stored message cost when its id is used for another one', async () => {
    const { ada, write, left, clock } = await paying(5, wrap);
    await settled(ada, write('key', 'first'));
    const other = write('key', 'second');
    await settled(ada, other);
    await clock.settle();

    expect([errorsOf(ada), await left()]).toEqual([['PROTOCOL_VIOLATION'], 4]);
  });

  test.each([
    ['AUDIO', { mime: 'audio/wav', data: '?' }],
    ['TOOL_SCHEMA', { tool: 'nobody' }],
    ['TOOL_CALL', {}],
  ])('[CREDIT-1] does not get back what a stored message cost when its id comes on a bad %s', async (type, payload) => {
    const { ada, id, write, left, clock } = await paying(5, wrap);
    await settled(ada, write('key'));
    await settled(ada, ada.send({ type, transaction: id, id: 'key', payload }));
    await clock.settle();

    expect([errorsOf(ada).length, await left()]).toEqual([1, 4]);
  });

  test('[CREDIT-1] pays for a message under way although another with its id is refused', async () => {
    const { ada, id, write, left, history, enter, clock } = await paying(5, wrap);
    const twin = await enter('ada');
    await join(twin, id);
    const release = history.hold(id);
    const good = write('key', 'fits');
    const bad = write('key', 7, twin);
    await clock.settle();
    release();
    await settled(ada, good);
    expect(await codeOf(twin, bad)).toBe('PROTOCOL_VIOLATION');
    await clock.settle();

    expect(await left()).toBe(4);
  });

  test('[CREDIT-1] keeps what was taken while nobody knows whether the message is stored', async () => {
    const { ada, id, write, left, history, enter, clock } = await paying(5, wrap);
    const twin = await enter('ada');
    await join(twin, id);
    const release = history.hold(id);
    history.failNext('append', 'after');
    const good = write('key', 'fits');
    const bad = write('key', 7, twin);
    await clock.settle();
    release();
    expect(await codeOf(ada, good)).toBe('OVERLOADED');
    expect(await codeOf(twin, bad)).toBe('PROTOCOL_VIOLATION');
    await settled(ada, write('key', 'fits'));
    await clock.settle();

    expect(await left()).toBe(4);
  });

  test('I21: with two connections at once pays for one message with its last credit', async () => {
    const { ada, id, write, left, enter, inner, history } = await paying(1, wrap);
    const twin = await enter('ada');
    await join(twin, id);
    const answers = await Promise.all([answerTo(ada, write('one')), answerTo(twin, write('two', 'two', twin))]);

    expect(answers.map(({ payload }) => payload.kind ?? payload.code).toSorted()).toEqual([
      'INSUFFICIENT_CREDITS',
      'receipt',
    ]);
    expect([await left(), inner.lowest, (await history.read(id, { from: 2 }))?.entries.length]).toEqual([0, 0, 1]);
  });

  test('[CREDIT-2] is told to all connections of its user, in HAI and when it changes, and to nobody else', async () => {
    const { ada, write, enter, clock } = await paying(5, wrap);
    const [twin, eve] = [await enter('ada'), await enter('eve')];
    const plain = await enter('ada', { capabilities: {} });
    const sent = times(3, (n) => write(`key-${n}`));
    for (const message of sent) await settled(ada, message);
    await clock.settle();

    expect(twin.received.find(({ type }) => type === 'HAI')?.payload.credits).toBe(5);
    expect([balances(ada).at(-1), balances(twin).at(-1)]).toEqual([2, 2]);
    expect([balances(eve), balances(plain)]).toEqual([[], []]);
  });
});

test('a message whose author is gone when it is paid for is seen by who came meanwhile', async () => {
  const clock = fakeClock();
  const inner = watchedLedger(clock);
  const paid = Promise.withResolvers<void>();
  const ledger: CreditLedger = { ...inner, debit: (...debit) => paid.promise.then(() => inner.debit(...debit)) };
  const { enter } = testServer({ clock, credits: { ledger }, tools: [mute], authenticate: ({ user }) => userOf(user) });
  const ada = await enter('ada');
  const { id } = await start(ada, 'mute');
  ada.send({ type: 'MESSAGE', transaction: id, payload: 'still here?' });
  await clock.settle();
  ada.link.cut();
  const bob = await enter('bob');
  await join(bob, id);
  paid.resolve();

  await seeEntry(bob, { type: 'MESSAGE', payload: 'still here?' });
});

test('I21: a message that another node stored with the debit of this one is paid for', async () => {
  const clock = fakeClock();
  const shared = testHistory(clock);
  const history = heldStore(shared);
  const ledger = watchedLedger(clock);
  const node = { clock, credits: { ledger }, tools: [mute], authenticate: () => userOf('ada', { credits: 5 }) };
  const [first, second] = [testServer({ ...node, history }), testServer({ ...node, history: shared })];
  const ada = await first.enter('ada');
  const { id } = await start(ada, 'mute');
  const said = { type: 'MESSAGE', transaction: id, id: 'once', payload: 'x' };
  const release = history.hold(id);
  const slow = ada.send(said);
  await clock.settle();
  const again = await second.enter('ada');
  await join(again, id);
  await settled(again, again.send(said));
  release();
  await settled(ada, slow);
  await clock.settle();

  expect([await ledger.balance('ada'), ledger.taken.size]).toEqual([4, 1]);
});

test('[CREDIT-2] a balance is told once for all that changed it in one turn of the event loop', async () => {
  const { ada, id, clock } = await paying(5);
  const seqs = times(3, (n) => Number(ada.send({ type: 'MESSAGE', transaction: id, id: `k-${n}`, payload: 'x' }).seq));
  await settled(ada, { seq: String(Math.max(...seqs)) });
  await clock.settle();

  expect(balances(ada)).toEqual([2]);
});

describe('what a message costs', () => {
  test('is 1 for a streamed one, however many parts; its end is free, and so is what ends anything', async () => {
    const { ada, id, left } = await paying(1);
    const part = { type: 'MESSAGE_PART', transaction: id, payload: { message_id: 'm', text: 'x' } };
    ada.send({ type: 'MESSAGE_START', transaction: id, payload: { message_id: 'm' } });
    for (let n = 0; n < 3; n++) ada.send(part);
    ada.send({ type: 'MESSAGE_END', transaction: id, payload: { message_id: 'm' } });
    const end = ada.send({ type: 'TRANSACTION_END', transaction: id });
    await settled(ada, end);

    expect([errorsOf(ada), await left()]).toEqual([[], 0]);
  });

  test('is what the function says, which sees who writes what', async () => {
    const seen: unknown[] = [];
    const { ada, id, write, left } = await paying(10, undefined, {
      cost: ({ user, transaction, type, payload }) => {
        seen.push([user, transaction, type]);
        return String(payload).length / 2;
      },
    });
    await settled(ada, write('key', 'seven!!'));

    expect([seen, await left()]).toEqual([[['ada', id, 'MESSAGE']], 6.5]);
  });

  const broken: [string, () => unknown][] = [
    ['throws', () => expect.unreachable('CANARY')],
    ['gives NaN', () => Number.NaN],
    ['gives less than 0', () => -1],
    ['gives no end', () => Number.POSITIVE_INFINITY],
    ['gives a text', () => '1'],
    ['gives a promise', () => Promise.resolve(1)],
  ];
  test.each(broken)('F40: a function that %s has that message refused for good, and no other', async (_, nonsense) => {
    const { ada, write, left } = await paying(10, undefined, {
      cost: ({ payload }) => (payload === 'bad' ? (nonsense() as number) : 1),
    });
    const { payload } = await answerTo(ada, write('one', 'bad'));
    await settled(ada, write('two', 'good'));

    expect([payload.code, payload.retry]).toEqual(['INTERNAL_ERROR', false]);
    expect(JSON.stringify(ada.received)).not.toContain('CANARY');
    expect(await left()).toBe(9);
  });
});

describe('a ledger that fails', () => {
  async function failing() {
    let ledger: ReturnType<typeof lateLedger> | undefined;
    const test = await paying(5, (inner) => {
      ledger = lateLedger(inner, () => 0.5);
      return ledger;
    });
    return { ...test, ledger: ledger as ReturnType<typeof lateLedger> };
  }

  test.each(['before', 'after'] as const)(
    '[FLOW-5] %s it took a debit: OVERLOADED, and the same message pays once in the end',
    async (when) => {
      const { ada, write, ledger, left, history, id } = await failing();
      ledger.failNext('debit', when);
      expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
      await settled(ada, write('key'));

      expect([await left(), (await history.head(id))?.last]).toEqual([4, 2]);
    },
  );

  test('[CREDIT-1] after it took a debit, with no answer that anybody can read, gives it back all the same', async () => {
    let isBroken = true;
    const { ada, id, write, left, clock } = await paying(5, (inner) => ({
      ...inner,
      async debit(...given) {
        const debit = await inner.debit(...given);
        return isBroken ? (undefined as never) : debit;
      },
    }));
    expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
    isBroken = false;
    await settled(ada, ada.send({ type: 'TRANSACTION_END', transaction: id }));
    await settled(ada, write('key'));
    await clock.settle();

    expect([errorsOf(ada).at(-1), await left()]).toEqual(['TRANSACTION_ENDED', 5]);
  });

  test('that throws at once is answered OVERLOADED, too', async () => {
    const { ada, write, left } = await paying(5, (inner) => {
      let calls = 0;
      return { ...inner, debit: (...given) => (calls++ === 0 ? expect.unreachable() : inner.debit(...given)) };
    });
    expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
    await settled(ada, write('key'));

    expect(await left()).toBe(4);
  });

  test('at an account lets nobody in: OVERLOADED, 1013', async () => {
    const { ledger, connect } = await failing();
    ledger.failNext('open', 'before');
    const eve = connect();

    expect((await eve.hai({ auth: { user: 'eve' } })).payload).toMatchObject({ code: 'OVERLOADED', retry: true });
    expect(await eve.closed).toMatchObject({ code: 1013 });
  });

  test('at giving back is logged with the key, so that somebody can', async () => {
    const { ada, write, ledger, history, rights, logged, clock } = await failing();
    history.failNext('append', 'before');
    expect(await codeOf(ada, write('key'))).toBe('OVERLOADED');
    rights['ada'] = { permissions: {} };
    await answerTo(ada, sendHai(ada, { auth: { user: 'ada' } }));
    ledger.failNext('undo', 'before');
    await settled(ada, write('key'));
    await clock.settle();

    expect(logged.map(({ event }) => event)).toContain('credit not given back');
  });
});

describe('the accounts, for the application', () => {
  test('are added to, and their users told', async () => {
    const { ada, server, clock } = await paying(5);
    expect(await server.credits.grant('ada', 3)).toBe(8);
    expect(await server.credits.refund('ada', 0.5)).toBe(8.5);
    await clock.settle();

    expect(balances(ada)).toEqual([8, 8.5]);
  });

  test('are opened once: another HAI with other credits changes nothing', async () => {
    const { enter, rights, left } = await paying(5);
    rights['ada'] = { credits: 100 };
    await enter('ada');

    expect(await left()).toBe(5);
  });

  test('of a user who was never here cannot be added to, nor may an amount be nonsense', async () => {
    const { server } = await paying(5);

    expect(await server.credits.balance('eve')).toBeNull();
    await expect(server.credits.grant('eve', 1)).rejects.toThrow('user: expected one who has an account');
    for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(server.credits.grant('ada', amount)).rejects.toThrow(RangeError);
  });

  test('are not kept by a server without the option: nobody pays, and nobody is told of credit', async () => {
    const { server, enter } = testServer({ tools: [mute], authenticate: ({ user }) => userOf(user, { credits: 0 }) });
    const ada = await enter('ada');
    const { id } = await start(ada, 'mute');

    expect(await say(ada, id, 'free')).toBe(2);
    expect(() => server.credits).toThrow('expected a server made with the option "credits"');
    expect(ada.received[0]?.payload).not.toHaveProperty('credits');
    expect(balances(ada)).toEqual([]);
  });
});
