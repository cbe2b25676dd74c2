import type { HistoryStore, Tool } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { HAIPServer } from '../src/index.ts';
import { bothStores, testHistory } from './stores.ts';
import { answerTo, echo, join, type LinkedPeer, say, see, seeEntry, start, testServer, times } from './support.ts';
import { streaming, toolThat } from './tools.ts';

describe.each(bothStores)('a server over %s', (_, makeStore) => {
  function setup(...tools: Tool<unknown>[]) {
    const clock = fakeClock();
    return testServer({ clock, history: makeStore(clock), tools });
  }

  test('keeps nothing of 200 clients that came, talked and went [CLOSE-7]', async () => {
    const { enter, clock, server } = setup(streaming('one', 'two'));
    const shared = await enter('owner');
    const { id } = await start(shared);
    for (let n = 0; n < 200; n++) {
      const peer = await enter(`user-${n % 20}`);
      const own = await start(peer, n % 2 === 0 ? 'echo' : 'streaming');
      await join(peer, id);
      await say(peer, own.id, 'hello');
      if (n % 3 === 0) await see(peer, ({ channel, type }) => channel === 'AGENT' && type !== 'RUN_STARTED');
      if (n % 5 === 0) peer.connection.close(1000);
      else peer.link.cut(n % 7 === 0 ? 'server' : undefined);
    }
    shared.link.cut();
    for (let n = 0; n < 50; n++) await clock.settle();

    expect([server.connections, server.transactions, clock.pending]).toEqual([0, 0, 0]);
  }, 20_000);

  test('closes with 1012, stops every turn, and leaves no timer', async () => {
    let signal: AbortSignal | undefined;
    const waiting = toolThat(async (turn) => {
      signal = turn.signal;
      await turn.stream();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    });
    const { enter, clock, server } = setup(waiting);
    const peers = [await enter('ada'), await enter('eve')];
    for (const peer of peers) await start(peer);
    const [ada] = peers as [LinkedPeer];
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    await seeEntry(ada, { type: 'MESSAGE_START' });
    await server.close();
    for (let n = 0; n < 20; n++) await clock.settle();

    for (const peer of peers) expect(await peer.closed).toMatchObject({ code: 1012 });
    expect(signal?.aborted).toBe(true);
    expect([server.connections, server.transactions, clock.pending]).toEqual([0, 0, 0]);
    await server.close();
  });

  test('takes nobody once it is closed: 1012, to resume elsewhere', async () => {
    const { connect, server, clock } = setup();
    await server.close();
    const peer = connect();

    expect(await peer.closed).toMatchObject({ code: 1012 });
    expect([server.connections, clock.pending]).toEqual([0, 0]);
  });

  test('that closes while transactions are being opened holds on to none', async () => {
    const { enter, server, clock } = setup(streaming('never'));
    const ada = await enter('ada');
    const { id } = await start(ada, 'streaming');
    const eve = await enter('eve');
    eve.send({ type: 'TRANSACTION_JOIN', transaction: id });
    eve.send({ type: 'TRANSACTION_START', transaction: 'ref', payload: { toolName: 'echo' } });
    eve.send({ type: 'MESSAGE', transaction: id, payload: 'go' });
    await server.close();
    for (let n = 0; n < 30; n++) await clock.settle();

    expect([server.connections, server.transactions, clock.pending]).toEqual([0, 0, 0]);
  });
});

describe('how many connections a server takes', () => {
  test('A28: 10,000; one more is closed 1013, and one that goes makes room', async () => {
    const { connect, enter, server, clock } = testServer();
    const [first] = times(10_000, () => connect());
    expect(server.connections).toBe(10_000);
    expect(await connect().closed).toMatchObject({ code: 1013 });
    first?.link.cut();
    await clock.settle();

    expect((await start(await enter())).id).toBeTruthy();
  }, 20_000);
});

describe('what an application may register', () => {
  test('a tool has a name that is an id and that no other has', () => {
    const { server } = testServer();

    for (const name of ['', 'a b', '*', 'é', 'x'.repeat(129)])
      expect(() => server.registerTool({ name })).toThrow(TypeError);
    expect(() => server.registerTool(echo)).toThrow('registered twice');
  });

  test('limits that cannot be kept are refused at once', () => {
    const history = testHistory(fakeClock());

    expect(() => new HAIPServer({ history, limits: { maxJoined: 0 } })).toThrow(RangeError);
  });

  test('a transaction whose tool is gone can be read and written, nobody answers', async () => {
    const clock = fakeClock();
    const history = testHistory(clock);
    const before = testServer({ clock, history, tools: [streaming('x')] });
    const { id } = await start(await before.enter(), 'streaming');
    const after = testServer({ clock, history });
    const ada = await after.enter();
    await join(ada, id);
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'anybody?' });
    await clock.settle();

    expect((await answerTo(ada, sent)).seq).toBe('2');
    expect(await history.head(id)).toMatchObject({ last: 2 });
  });
});

test('whoever comes back while a log is let go of reads the one that the others write to', async () => {
  const clock = fakeClock();
  const inner = testHistory(clock);
  const [late, turn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isNextLate = false;
  const history: HistoryStore = {
    ...inner,
    read(transaction, range) {
      if (!isNextLate) return inner.read(transaction, range);
      isNextLate = false;
      return late.promise.then(() => inner.read(transaction, range));
    },
  };
  const { enter } = testServer({ clock, history, tools: [toolThat(() => turn.promise)] });
  const ada = await enter('ada');
  const { id } = await start(ada, 'tool');
  await say(ada, id, 'go');
  // Whoever leaves has the log read once more. Before that is done its agent has nothing more to do, too.
  isNextLate = true;
  ada.link.cut();
  await clock.settle();
  turn.resolve();
  await clock.settle();
  const eve = await enter('eve');
  await join(eve, id);
  late.resolve();
  await clock.settle();
  const bob = await enter('bob');
  await join(bob, id);
  await say(bob, id, 'hello');

  await seeEntry(eve, { payload: 'hello' });
});
