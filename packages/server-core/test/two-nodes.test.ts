// One session on two nodes at once: who lives, and that no word between nodes can end the wrong one.

import { describe, expect, test } from 'vitest';
import { comeAgain, testNodes, tokenOf } from './nodes.ts';
import { type LinkedPeer, start, testServer } from './support.ts';

const isOpen = (peer: LinkedPeer): boolean => peer.link.open;

async function session() {
  const nodes = testNodes();
  const [one, two] = [nodes.node(), nodes.node()];
  const first = await one.enter('ada', { attempt: '1' });
  return { ...nodes, one, two, first, token: tokenOf(first) };
}

describe('one session on two nodes', () => {
  test('F50: the newer lives, the older is closed 4409 by notice [HAI-15]', async () => {
    const { clock, two, first, token } = await session();
    const second = comeAgain(two, token, '2');
    await second.until('HAI');
    await clock.settle();

    expect(await first.closed).toMatchObject({ code: 4409 });
    expect(second.session).toBe(first.session);
    expect((await start(second)).id).toBeTruthy();
  });

  test('F50: one that comes with a lower attempt is itself closed 4409 [HAI-15]', async () => {
    const { clock, one, two, token } = await session();
    const living = comeAgain(one, token, '5');
    await living.until('HAI');
    const late = comeAgain(two, token, '4');
    await clock.settle();

    expect(await late.closed).toMatchObject({ code: 4409 });
    expect(isOpen(living)).toBe(true);
  });

  test.each([
    ['that of the first node first', 0],
    ['that of the second node first', 1],
  ])('F50: of two clients with equal attempts one lives, whichever word arrives: %s [HAI-15]', async (_, from) => {
    const { clock, hold, words, one, two, token } = await session();
    hold();
    const [a, b] = [comeAgain(one, token, '2', 'h-a'), comeAgain(two, token, '2', 'h-b')];
    await Promise.all([a.until('HAI'), b.until('HAI')]);
    words[from]?.arrive();
    await clock.settle();
    for (let at = 0; at < words.length; at++) if (at !== from) words[at]?.arrive();
    await clock.settle();

    expect([isOpen(a), isOpen(b)]).toEqual([false, true]);
    expect(await a.closed).toMatchObject({ code: 4409 });
  });

  test('F50: a HAI that reached both nodes ends neither, as its client is at one of them; the next one ends both', async () => {
    const { clock, one, two, first, token } = await session();
    const [a, b] = [comeAgain(one, token, '2', 'h'), comeAgain(two, token, '2', 'h')];
    await clock.settle();
    expect([isOpen(first), isOpen(a), isOpen(b)]).toEqual([false, true, true]);
    const next = comeAgain(two, token, '3');
    await clock.settle();

    expect([isOpen(a), isOpen(b), isOpen(next)]).toEqual([false, false, true]);
  });

  test('F50: no late or repeated word ends the newer one', async () => {
    const { clock, hold, words, one, two, first, token } = await session();
    hold();
    const second = comeAgain(two, token, '2');
    await second.until('HAI');
    const third = comeAgain(one, token, '3');
    await third.until('HAI');
    expect(await first.closed).toMatchObject({ code: 4409 });
    const told = [...words];
    for (const word of [...told, ...told.toReversed(), ...told]) word.arrive();
    await clock.settle();
    for (const word of words) word.arrive();
    await clock.settle();

    expect([isOpen(second), isOpen(third)]).toEqual([false, true]);
    expect(one.server.connections + two.server.connections).toBe(1);
  });

  test('F50: while words are lost both are read for, and the next connection ends them', async () => {
    const { clock, hold, words, one, two, first, token } = await session();
    hold();
    const second = comeAgain(two, token, '2');
    await second.until('HAI');
    expect([isOpen(first), isOpen(second)]).toEqual([true, true]);
    const { id } = await start(first);
    expect((await start(second)).id).not.toBe(id);
    const third = comeAgain(two, token, '3');
    await third.until('HAI');
    words.at(-1)?.arrive();
    await clock.settle();

    expect([first, second, third].map(isOpen)).toEqual([false, false, true]);
    expect(one.server.connections).toBe(0);
  });

  test('a word carries no secret, and what nobody can read is left alone', async () => {
    const { clock, inner, hold, words, two, first, token } = await session();
    const encoder = new TextEncoder();
    const nonsense = ['', '{', '[]', '{}', 'null', `{"session":"${first.session}","attempt":"9","hai":"h"}`];
    for (const word of nonsense) void inner.notify('haip.nodes', encoder.encode(word));
    await clock.settle();
    expect(isOpen(first)).toBe(true);
    hold();
    await comeAgain(two, token, '2').until('HAI');

    expect(words.map(({ topic, said }) => [topic, Object.keys(said)])).toEqual([
      ['haip.nodes', ['session', 'attempt', 'hai', 'from']],
    ]);
    expect(JSON.stringify(words)).not.toContain(token);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
  ])('F25: a store whose notify %s costs a line of the log and no connection', async (_, notify) => {
    const { clock, node, token } = await session();
    const deaf = node({}, (history) => ({ ...history, notify }));
    const peer = comeAgain(deaf, token, '2');
    await peer.until('HAI');
    await clock.settle();

    expect(isOpen(peer)).toBe(true);
    expect(deaf.logged.map(({ level, event }) => [level, event])).toEqual([['warn', 'nodes not told']]);
  });

  test('a session that is new is told to nobody, and a store of one node is told nothing', async () => {
    const { hold, words, one, two } = await session();
    hold();
    await one.enter('ada', { attempt: '1' });
    await two.enter('eve');
    expect(words).toEqual([]);
    const told: string[] = [];
    const alone = testServer();
    alone.history.notify = (topic) => void told.push(topic);
    const ada = await alone.enter('ada');
    await comeAgain(alone, tokenOf(ada), '1').until('HAI');
    expect(told).toEqual([]);
  });

  test('a server that was closed listens to nothing more', async () => {
    const { node } = testNodes();
    let listening = 0;
    const counted = node({}, (history) => ({
      ...history,
      listen(topic, heard) {
        const stop = history.listen(topic, heard);
        listening++;
        return () => {
          stop();
          listening--;
        };
      },
    }));
    expect(listening).toBe(1);
    await counted.server.close();
    expect(listening).toBe(0);
  });
});
