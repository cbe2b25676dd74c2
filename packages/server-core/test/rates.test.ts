import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../src/index.ts';
import { TokenBucket } from '../src/token-bucket.ts';
import { heldStore, testHistory } from './stores.ts';
import {
  answerTo,
  codeOf,
  entriesOf,
  errorsOf,
  join,
  type LinkedPeer,
  see,
  sendHai,
  settled,
  start,
  type TestServerOptions,
  testServer,
  times,
} from './support.ts';
import { mute } from './tools.ts';

const elsewhere = '203.0.113.7';

/** A user from elsewhere, whose bucket is full again after the start. */
async function guest(options: TestServerOptions = {}) {
  const clock = options.clock ?? fakeClock();
  const history = heldStore(testHistory(clock));
  const test = testServer({ clock, history, tools: [mute], remoteAddress: elsewhere, ...options });
  const ada = await test.enter('ada');
  const { id } = await start(ada, 'mute');
  await clock.advance(1_000);
  const write = (key: string, payload = key) => ada.send({ type: 'MESSAGE', transaction: id, id: key, payload });
  return { ...test, history, ada, id, write };
}

function pings(peer: LinkedPeer, count: number) {
  return times(count, () => peer.send({ type: 'PING' }));
}

describe('what one connection may send', () => {
  test('A29: 200 at once; one more is RATE_LIMITED with how long to wait, and passes when it comes again [ERR-6]', async () => {
    const { ada, id, write, history, clock } = await guest();
    const sent = times(201, (n) => write(`key-${n}`));
    const last = await answerTo(ada, sent[200] as { id: string });

    expect(errorsOf(ada)).toEqual(['RATE_LIMITED']);
    expect(last.payload).toMatchObject({ code: 'RATE_LIMITED', retry: true, retry_after_ms: 10 });
    expect((await history.head(id))?.last).toBe(201);
    await clock.advance(last.payload.retry_after_ms);
    await settled(ada, write('key-200'));
    expect([errorsOf(ada).length, (await history.head(id))?.last]).toEqual([1, 202]);
  });

  test('A29: 100 a second in the long run [ERR-6]', async () => {
    const { ada, clock } = await guest();
    await settled(ada, pings(ada, 200).at(-1) as { seq: string });
    for (let second = 0; second < 5; second++) {
      await clock.advance(1_000);
      await settled(ada, pings(ada, 100).at(-1) as { seq: string });
    }
    expect(errorsOf(ada)).toEqual([]);
    await settled(ada, pings(ada, 1).at(-1) as { seq: string });

    expect(errorsOf(ada)).toEqual(['RATE_LIMITED']);
  });

  test('A29: keeps its author’s order: what follows a message that was too much waits for it [ACK-10]', async () => {
    const { ada, id, write, history, clock } = await guest({ limits: { messagesBurst: 2 } });
    const sent = times(4, (n) => write(`key-${n}`));
    await settled(ada, sent[3] as { seq: string });
    expect(errorsOf(ada)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    await clock.advance(1_000);
    const again = [write('key-3'), write('key-2')];
    expect(await see(ada, ({ seq, payload }) => seq === '0' && payload.code === 'RATE_LIMITED')).toBeTruthy();
    await settled(ada, again[1] as { seq: string });
    await clock.advance(1_000);
    await settled(ada, write('key-3'));

    const stored = (await history.read(id, { from: 2 }))?.entries.map(({ id: key }) => key);
    expect(stored).toEqual(['key-0', 'key-1', 'key-2', 'key-3']);
  });

  test('[LOG-8] is no reason to refuse a retry of what is stored', async () => {
    const { ada, write } = await guest({ limits: { messagesBurst: 1, messagesPerSecond: 1 } });
    await settled(ada, write('key'));
    await settled(ada, write('key'));

    expect(errorsOf(ada)).toEqual([]);
  });

  test('A29: ends with 1008 for who goes on: 5,000 refusals in a minute are borne, one more is not', async () => {
    const { ada, clock } = await guest();
    // In portions that the link takes: what it does not take would end the connection sooner.
    for (let n = 0; n < 26; n++) await settled(ada, pings(ada, 200).at(-1) as { seq: string });
    expect([errorsOf(ada).length, ada.link.open]).toEqual([5_000, true]);
    ada.send({ type: 'PING' });

    expect(await ada.closed).toMatchObject({ code: 1008 });
    await clock.settle();
  }, 20_000);

  test('A29: is enough to end a flood of 100,000 tiny frames of no known type, while a neighbour is served', async () => {
    const { ada, enter } = await guest();
    const eve = await enter('eve');
    for (let n = 0; n < 100_000; n++) ada.send({ type: 'FUTURE' });
    const { id } = await start(eve, 'mute');

    expect(await ada.closed).toMatchObject({ code: 1008 });
    expect([typeof id, errorsOf(ada).length]).toEqual(['string', 1]);
  }, 20_000);

  test.each([
    ['TRANSACTION_START', { toolName: 'mute' }],
    ['TRANSACTION_JOIN', {}],
    ['TRANSACTION_LEAVE', {}],
    ['TRANSACTION_LIST', {}],
    ['TOOL_LIST', {}],
    ['REPLAY_REQUEST', { from_seq: '1' }],
    ['HAI', { auth: { user: 'ada' } }],
    ['RUN_CANCEL', { run_id: 'run' }],
    ['TRANSACTION_END', {}],
  ])('A29: counts %s, too', async (type, payload) => {
    const { ada, id, clock } = await guest({ limits: { messagesBurst: 1, messagesPerSecond: 1 } });
    await clock.advance(1_000);
    const [, sent] = [ada.send({ type: 'PING' }), ada.send({ type, transaction: id, payload })];

    expect(await codeOf(ada, sent)).toBe('RATE_LIMITED');
  });

  test.each([
    ['FLOW_UPDATE', { add_messages: 1 }],
    ['PAUSE_CHANNEL', { channel: 'AGENT' }],
    ['RESUME_CHANNEL', { channel: 'AGENT' }],
    ['PONG', {}],
    ['INFO', { kind: 'typing' }],
  ])('A29: counts %s and takes it all the same: nobody says it again [ERR-7]', async (type, payload) => {
    const { ada, id } = await guest({ limits: { messagesBurst: 1, messagesPerSecond: 1, maxRateRefusals: 2 } });
    const many = times(3, () => ada.send({ type, transaction: id, payload }));
    await settled(ada, many[2] as { seq: string });
    expect(errorsOf(ada)).toEqual([]);
    ada.send({ type, transaction: id, payload });

    expect(await ada.closed).toMatchObject({ code: 1008 });
  });

  test('A29: a reader goes on although the window it was given came with too much else [ERR-7]', async () => {
    const { ada, id, write, enter } = await guest({ limits: { messagesBurst: 3, messagesPerSecond: 1 } });
    const capabilities = { transaction_log: true, flow_control: { initial_credit_messages: 1 } };
    const eve = await enter('eve', { capabilities });
    await join(eve, id);
    await settled(ada, [write('first'), write('waits')][1] as { seq: string });
    pings(eve, 3);
    eve.send({ type: 'FLOW_UPDATE', transaction: id, payload: { add_messages: 5 } });

    expect(await see(eve, ({ payload: said }) => said === 'waits')).toBeTruthy();
  });

  test('A30: counts PINGs', async () => {
    const { ada } = await guest();
    const sent = pings(ada, 250);
    await settled(ada, sent.at(-1) as { seq: string });

    expect(ada.received.filter(({ type }) => type === 'PONG')).toHaveLength(200);
    expect(errorsOf(ada)).toHaveLength(50);
  });

  test('of sound is counted by bytes, a tenth of a message at least', async () => {
    const { ada, id } = await guest({ limits: { messagesBurst: 10 } });
    const play = (bytes: number) => ada.send({ type: 'AUDIO', transaction: id }, new Uint8Array(bytes));
    const small = times(40, () => play(10));
    await settled(ada, small.at(-1) as { seq: string });
    expect(errorsOf(ada)).toEqual([]);
    const large = times(7, () => play(16_384));
    await settled(ada, large.at(-1) as { seq: string });

    expect(errorsOf(ada)).toEqual(['RATE_LIMITED']);
  });
});

describe('what one connection may ask for', () => {
  test('A33: is counted by the bytes that a replay brings: the next one waits for them', async () => {
    const { ada, id, clock } = await guest({ limits: { messagesBurst: 20 } });
    for (let n = 0; n < 20; n++) {
      await settled(ada, ada.send({ type: 'MESSAGE', transaction: id, payload: 'x'.repeat(64 * 1024) }));
      await clock.advance(1_000);
    }
    const ask = () => ada.send({ type: 'REPLAY_REQUEST', transaction: id, payload: { from_seq: '1' } });
    const first = ask();
    expect((await see(ada, ({ payload }) => payload.kind === 'replayed')).related_id).toBe(first.id);
    const refused = await answerTo(ada, ask());

    // 8 of 64 KiB reach the page's 512 KiB: 33 messages' worth, and the two requests; 20 were there.
    expect(refused.payload).toMatchObject({ code: 'RATE_LIMITED', retry_after_ms: expect.any(Number) });
    expect(refused.payload.retry_after_ms).toBeGreaterThan(120);
    expect(refused.payload.retry_after_ms).toBeLessThan(200);
    await clock.advance(refused.payload.retry_after_ms);
    const again = ask();
    expect((await see(ada, ({ related_id }) => related_id === again.id)).type).not.toBe('ERROR');
  });

  test('A33: is counted by the entries that a JOIN brings', async () => {
    const { id, ada, enter, clock } = await guest({ limits: { messagesBurst: 20 } });
    for (let n = 0; n < 40; n++) {
      for (const _ of times(10, () => 0)) ada.send({ type: 'MESSAGE', transaction: id, payload: 'x' });
      await clock.advance(1_000);
    }
    const eve = await enter('eve');
    await join(eve, id);
    eve.send({ type: 'TRANSACTION_LEAVE', transaction: id });
    await clock.settle();

    expect(entriesOf(eve).length).toBeGreaterThan(400);
    expect((await answerTo(eve, eve.send({ type: 'TRANSACTION_JOIN', transaction: id }))).payload).toMatchObject({
      code: 'RATE_LIMITED',
    });
  });
});

test('A30: a link that takes nothing has one PONG to come, however many PINGs there were', async () => {
  const { enter, clock } = testServer();
  const ada = await enter('ada', {}, { highWaterBytes: 100 });
  ada.link.stall('down');
  await settledQuietly(ada, clock);
  pings(ada, 1_000);
  await clock.settle();
  ada.link.resume('down');
  await clock.settle();
  const before = ada.received.filter(({ type }) => type === 'PONG').length;
  const sent = pings(ada, 1)[0] as { id: string };

  expect(before).toBeLessThanOrEqual(2);
  expect((await answerTo(ada, sent)).type).toBe('PONG');
});

/** Fills a stalled link, so that it asks for patience. */
async function settledQuietly(peer: LinkedPeer, clock: { settle(): Promise<void> }): Promise<void> {
  for (let n = 0; n < 3; n++) peer.send({ type: 'TOOL_LIST' });
  await clock.settle();
}

describe('a server on this machine', () => {
  test.each([undefined, '127.0.0.1', '127.8.7.6', '::1', '::ffff:127.0.0.1'])(
    'counts nothing of whoever comes from %s',
    async (remoteAddress) => {
      const { enter } = testServer({ ...(remoteAddress === undefined ? {} : { remoteAddress }) });
      const ada = await enter('ada');
      await settled(ada, pings(ada, 1_000).at(-1) as { seq: string });

      expect(errorsOf(ada)).toEqual([]);
    },
  );
});

describe('who is let in', () => {
  test('A28: 200 connections of one user; one more is closed 4429, and one that goes makes room', async () => {
    const { enter, connect, clock } = testServer({ remoteAddress: elsewhere });
    const all: LinkedPeer[] = [];
    for (let n = 0; n < defaultLimits.maxConnectionsPerUser; n++) all.push(await enter('ada'));
    const more = connect();
    expect((await more.hai({ auth: { user: 'ada' } })).payload).toMatchObject({ code: 'RATE_LIMITED', retry: true });
    expect(await more.closed).toMatchObject({ code: 4429 });
    expect((await enter('eve')).received[0]?.type).toBe('HAI');
    all[0]?.link.cut();
    await clock.settle();

    expect((await enter('ada')).received[0]?.type).toBe('HAI');
  });

  test('A28: a session that comes again takes the place of its old connection', async () => {
    const { enter } = testServer({ remoteAddress: elsewhere, limits: { maxConnectionsPerUser: 1 } });
    const ada = await enter('ada');
    const again = await enter('ada', { resume_token: ada.received[0]?.payload.resume_token, attempt: '1' });

    expect([again.session, again.link.open]).toEqual([ada.session, true]);
  });

  test('A28: 1,000 connections of one address; one more is closed 1013, and one that goes makes room', async () => {
    const { connect, server, clock } = testServer({ remoteAddress: elsewhere });
    const all = times(defaultLimits.maxConnectionsPerAddress, () => connect());
    expect(server.connections).toBe(1_000);
    expect(await connect().closed).toMatchObject({ code: 1013 });
    all[0]?.link.cut();
    await clock.settle();
    const back = connect();
    await back.hai({ auth: { user: 'ada' } });

    expect(back.link.open).toBe(true);
  });

  test('A47: an address that was refused 60 times in a minute is asked nothing more, then one a second', async () => {
    let asked = 0;
    const { connect, clock } = testServer({
      remoteAddress: elsewhere,
      authenticate: ({ user }) => {
        asked++;
        return user === 'ada' ? { id: 'ada', permissions: {}, credits: 0 } : null;
      },
    });
    const early = connect();
    const attempt = async () => {
      const peer = connect();
      void peer.hai({ auth: { user: 'guess' } }).catch(() => {});
      return peer.closed;
    };
    for (let n = 0; n < 60; n++) expect(await attempt()).toMatchObject({ code: 1008 });
    expect(await attempt()).toMatchObject({ code: 1013, retryAfterMs: 1_000 });
    // Who was connected before is asked no sooner.
    expect((await early.hai({ auth: { user: 'ada' } })).payload).toMatchObject({ code: 'RATE_LIMITED' });
    expect([await early.closed, asked]).toMatchObject([{ code: 1013 }, 60]);
    await clock.advance(1_000);

    expect([await attempt(), await attempt()]).toMatchObject([{ code: 1008 }, { code: 1013 }]);
    expect(asked).toBe(61);
  });

  test('A47: later HAIs that are refused count, too', async () => {
    let asked = 0;
    const { enter } = testServer({
      remoteAddress: elsewhere,
      limits: { maxAuthFailures: 2 },
      authenticate: ({ user }) => (asked++ === 0 ? { id: user, permissions: {}, credits: 0 } : null),
    });
    const ada = await enter('ada');
    const codes = [];
    for (let n = 0; n < 3; n++) codes.push(await codeOf(ada, sendHai(ada, { auth: { user: 'eve' } })));

    expect([codes, asked]).toEqual([['AUTHENTICATION_FAILED', 'AUTHENTICATION_FAILED', 'RATE_LIMITED'], 3]);
  });
});

describe('where somebody comes from', () => {
  test('is what the application says: behind a proxy, a header of its own', async () => {
    const clock = fakeClock();
    const { server } = testServer({ clock });
    expect(server.connections).toBe(0);
    const addresses: unknown[] = [];
    const proxied = testServer({
      clock,
      remoteAddress: '10.0.0.1',
      limits: { maxConnectionsPerAddress: 1 },
      addressOf: ({ remoteAddress }) => {
        addresses.push(remoteAddress);
        return addresses.length === 1 ? '198.51.100.1' : '198.51.100.2';
      },
    });
    const [one, two, three] = [proxied.connect(), proxied.connect(), proxied.connect()];

    expect(await three.closed).toMatchObject({ code: 1013 });
    expect([one.link.open, two.link.open, addresses]).toEqual([true, true, ['10.0.0.1', '10.0.0.1', '10.0.0.1']]);
  });

  test.each<[string, () => string]>([
    ['throws', () => expect.unreachable()],
    ['gives a promise', () => Promise.reject(new Error('no lookup')) as never],
    ['gives no text', () => ({ address: elsewhere }) as never],
  ])('F40: is its own address when the application’s function %s, and somebody is told', async (_, addressOf) => {
    const { connect, logged } = testServer({
      remoteAddress: elsewhere,
      limits: { maxConnectionsPerAddress: 1 },
      addressOf,
    });
    connect();

    expect(await connect().closed).toMatchObject({ code: 1013 });
    expect(logged.map(({ event }) => event)).toEqual(['addressOf threw', 'addressOf threw']);
  });
});

describe('a token bucket', () => {
  test('never gives more in any stretch of time than its burst and what came meanwhile, and one more', () => {
    const step = fc.record({ wait: fc.nat(500), takes: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 50 }), (steps, perSecond) => {
        const burst = 20;
        const bucket = new TokenBucket(perSecond, burst, 0);
        let now = 0;
        const given: number[] = [];
        for (const { wait, takes } of steps) {
          now += wait;
          bucket.refill(now);
          for (let n = 0; n < takes; n++) if (bucket.take(1)) given.push(now);
        }
        for (const [from, since] of given.entries())
          for (const [to, at] of given.entries())
            if (to >= from) expect(to - from + 1).toBeLessThanOrEqual(burst + ((at - since) / 1000) * perSecond + 1);
      }),
    );
  });

  test('that waits as long as it says has one again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(5000), (perSecond, owed) => {
        const bucket = new TokenBucket(perSecond, 10, 0);
        bucket.owe(owed);
        bucket.refill(bucket.waitMs);
        expect(bucket.take(1)).toBe(true);
      }),
    );
  });
});
