import { fakeClock } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { heldStore, testHistory } from './stores.ts';
import { entriesOf, join, say, seeEntry, settled, start, testServer } from './support.ts';
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
});
