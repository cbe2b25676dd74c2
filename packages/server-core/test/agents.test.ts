import type { Draft } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { entriesOf, join, say, seeEntry, settled, start, testServer, times } from './support.ts';
import { toolThat } from './tools.ts';

describe('one agent for each transaction', () => {
  async function twoServers() {
    const clock = fakeClock();
    const history = heldStore(testHistory(clock));
    const answered: string[] = [];
    const tool = (name: string) =>
      toolThat((turn, text) => {
        answered.push(`${name}: ${text}`);
        return turn.reply(`${name}: ${text}`);
      });
    const [one, two] = [
      testServer({ clock, history, tools: [tool('one')] }),
      testServer({ clock, history, tools: [tool('two')] }),
    ];
    const ada = await one.enter('ada');
    const { id } = await start(ada, 'tool');
    return { clock, history, answered, one, two, ada, id };
  }

  test('another server does not answer while the lease is held, and takes over when it lapses', async () => {
    const { clock, answered, one, two, ada, id } = await twoServers();
    await say(ada, id, 'a');
    await seeEntry(ada, { payload: 'one: a' });
    const eve = await two.enter('eve');
    await join(eve, id);
    await clock.settle();
    await one.server.close();
    await say(eve, id, 'b');
    await clock.advance(15_000);
    await settled(eve, eve.send({ type: 'PING' }));
    expect(answered).toEqual(['one: a']);
    await clock.advance(15_000);

    await seeEntry(eve, { payload: 'two: b' });
    expect(answered).toEqual(['one: a', 'two: b']);
  });

  test('a long turn keeps its lease', async () => {
    const clock = fakeClock();
    const history = testHistory(clock);
    const gate = Promise.withResolvers<void>();
    const slow = toolThat(async (turn) => {
      await gate.promise;
      await turn.reply('one');
    });
    const one = testServer({ clock, history, tools: [slow] });
    const two = testServer({ clock, history, tools: [toolThat((turn) => turn.reply('two'))] });
    const ada = await one.enter('ada');
    const { id } = await start(ada, 'tool');
    await say(ada, id, 'go');
    const eve = await two.enter('eve');
    await join(eve, id);
    for (let n = 0; n < 12; n++) {
      await clock.advance(10_000);
      for (const peer of [ada, eve]) await settled(peer, peer.send({ type: 'PING' }));
    }
    expect(entriesOf(eve).filter(({ channel }) => channel === 'AGENT')).toEqual([]);
    gate.resolve();
    await seeEntry(ada, { payload: 'one' });

    const page = await history.read(id, { from: 1 });
    expect(page?.entries.filter(({ user }) => user === null).map(({ payload }) => payload)).toEqual(['one']);
  });

  test('turns that take longer than the lease together keep it between them', async () => {
    const clock = fakeClock();
    const history = testHistory(clock);
    const stopped = toolThat((turn) => new Promise((_, reject) => turn.signal.addEventListener('abort', reject)));
    const { enter } = testServer({ clock, history, tools: [stopped], limits: { turnTimeoutMs: 2_000 } });
    const ada = await enter('ada');
    const { id } = await start(ada, 'tool');
    for (let n = 0; n < 30; n++) await say(ada, id, `${n}`);
    for (let n = 0; n < 5; n++) {
      await clock.advance(9_000);
      await settled(ada, ada.send({ type: 'PING' }));
    }

    expect(await history.lease(id, 'another', 1_000)).toBeNull();
  });

  test('a server whose clients come back answers at once: the lease is its own', async () => {
    const { clock, answered, one, ada, id } = await twoServers();
    await say(ada, id, 'a');
    await seeEntry(ada, { payload: 'one: a' });
    ada.link.cut();
    await clock.settle();
    const back = await one.enter('ada');
    await join(back, id);
    await say(back, id, 'b');
    await clock.settle();

    expect(answered).toEqual(['one: a', 'one: b']);
  });

  test('F25: a record of turns that could not be saved has no message answered twice', async () => {
    const { clock, answered, history, ada, id } = await twoServers();
    history.failNext('saveLease');
    await say(ada, id, 'a');
    await seeEntry(ada, { payload: 'one: a' });
    await say(ada, id, 'b');
    await seeEntry(ada, { payload: 'one: b' });
    await clock.settle();

    expect(answered).toEqual(['one: a', 'one: b']);
  });

  test.each(times(12, (steps) => steps))('what comes %i steps after somebody joined is answered', async (steps) => {
    const { clock, one, two, ada, id } = await twoServers();
    await say(ada, id, 'a');
    await seeEntry(ada, { payload: 'one: a' });
    await one.server.close();
    await clock.advance(30_000);
    const eve = await two.enter('eve');
    eve.send({ type: 'TRANSACTION_JOIN', transaction: id, payload: {} });
    for (let n = 0; n < steps; n++) await undefined;
    eve.send({ type: 'MESSAGE', transaction: id, payload: 'b' });

    await seeEntry(eve, { payload: 'two: b' });
  });

  test('F25: a lease that could not be taken is asked for again', async () => {
    const { clock, answered, history, one, id } = await twoServers();
    history.failNext('lease');
    const eve = await one.enter('eve');
    const { id: other } = await start(eve, 'tool');
    history.failNext('lease');
    await say(eve, other, 'hello');
    for (let n = 0; n < 3; n++) {
      await clock.advance(10_000);
      await settled(eve, eve.send({ type: 'PING' }));
    }

    await seeEntry(eve, { payload: 'one: hello' });
    expect([answered, id === other]).toEqual([['one: hello'], false]);
  });

  test('a server that answers again goes on behind what the other one answered', async () => {
    const { clock, answered, one, two, ada, id } = await twoServers();
    await say(ada, id, 'a');
    await seeEntry(ada, { payload: 'one: a' });
    await clock.advance(19_000);
    await settled(ada, ada.send({ type: 'PING' }));
    await clock.advance(19_000);
    const eve = await two.enter('eve');
    await join(eve, id);
    await say(eve, id, 'b');
    await seeEntry(eve, { payload: 'two: b' });
    await two.server.close();
    await settled(ada, ada.send({ type: 'PING' }));
    await clock.advance(19_000);
    await settled(ada, ada.send({ type: 'PING' }));
    await clock.advance(19_000);
    await say(ada, id, 'c');
    await seeEntry(ada, { payload: 'one: c' });

    expect([answered, one.server.connections]).toEqual([['one: a', 'two: b', 'one: c'], 1]);
  });

  test('a server that waits for the lease of another one can be closed: it leaves no timer', async () => {
    const { clock, one, two, ada, id } = await twoServers();
    await say(ada, id, 'a');
    const eve = await two.enter('eve');
    await join(eve, id);
    await clock.settle();
    await one.server.close();
    const [waiting] = [clock.pending];
    await two.server.close();
    await clock.settle();

    expect([waiting, clock.pending]).toEqual([2, 0]);
  });

  test('a transaction that is being opened while its server closes is not answered', async () => {
    const { clock, answered, history, two } = await twoServers();
    const silent = testServer({ clock, history, tools: [{ name: 'tool' }] });
    const ada = await silent.enter('ada');
    const { id } = await start(ada, 'tool');
    await silent.server.close();
    await clock.advance(30_000);
    const eve = await two.enter('eve');
    const release = history.holdReads();
    eve.send({ type: 'MESSAGE', transaction: id, payload: 'never answered' });
    await clock.settle();
    await history.append(id, [unanswered]);
    const closed = two.server.close();
    await clock.settle();
    release();
    await closed;
    await clock.advance(60_000);

    expect([answered, two.server.transactions, clock.pending]).toEqual([[], 0, 0]);
  });
});

const unanswered: Draft = {
  id: 'unanswered',
  user: 'ada',
  session: 'elsewhere',
  ts: 0,
  channel: 'USER',
  type: 'MESSAGE',
  payload: 'anybody?',
  size: 256,
  digest: '',
};
