// A node that can not reach the store that it shares with others, on a clock that stands still.

import type { HistoryStore } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { testNodes, tokenOf } from './nodes.ts';
import { entriesOf, join, type LinkedPeer, say, seeEntry, settled, start, testServer, times } from './support.ts';

const isOpen = ({ link }: LinkedPeer): boolean => link.open;

type Cut = 'silent' | 'failing';

/** A way to the store that can be cut: nothing is answered then, or everything fails. */
function cuttable() {
  let cut: Cut | undefined;
  const lost: PromiseWithResolvers<never>[] = [];
  const guarded = (history: HistoryStore): HistoryStore => {
    const ways = Object.entries(history).map(([name, member]) => {
      if (typeof member !== 'function' || ['watch', 'listen', 'close'].includes(name)) return [name, member];
      const call = (...given: unknown[]): unknown => {
        if (cut === undefined) return member(...given);
        if (cut === 'failing') return Promise.reject(new Error('no way to the store'));
        const answer = Promise.withResolvers<never>();
        lost.push(answer);
        return answer.promise;
      };
      return [name, call];
    });
    return Object.fromEntries(ways) as unknown as HistoryStore;
  };
  return {
    guarded,
    cut(how: Cut): void {
      cut = how;
    },
    mend(): void {
      cut = undefined;
      for (const { reject } of lost.splice(0)) reject(new Error('the connection was renewed'));
    },
  };
}

async function twoNodes() {
  const nodes = testNodes();
  const way = cuttable();
  const one = nodes.node({}, way.guarded);
  const two = nodes.node();
  const ada = await one.enter('ada');
  const { id, epoch } = await start(ada);
  return { ...nodes, ...way, one, two, ada, id, epoch };
}

/** Lets time pass for peers that answer to PING, by asking the server themselves. */
async function pass(clock: { advance(ms: number): Promise<void> }, ms: number, ...peers: LinkedPeer[]): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    await clock.advance(Math.min(left, 10_000));
    for (const peer of peers) if (isOpen(peer)) await settled(peer, peer.send({ type: 'PING' }));
  }
}

describe.each(['silent', 'failing'] as const)('a node whose store is %s', (how) => {
  test('F35: keeps nobody in the dark once its store has answered nothing for 30 s: 1013, and nobody new is taken', async () => {
    const { clock, cut, one, ada } = await twoNodes();
    // The next look is due in 10 s.
    cut(how);
    await pass(clock, 30_000, ada);
    expect([isOpen(ada), one.server.accept.unavailable?.()]).toEqual([true, undefined]);
    await pass(clock, 10_000, ada);

    expect(await ada.closed).toMatchObject({ code: 1013, reason: 'the store does not answer' });
    expect(one.server.accept.unavailable?.()).toMatchObject({ code: 1013, retryAfterMs: 10_000 });
    expect(await one.connect().closed).toMatchObject({ code: 1013, retryAfterMs: 10_000 });
    expect(one.logged.filter(({ event }) => event === 'store lost')).toMatchObject([
      { level: 'error', fields: { connections: 1 } },
    ]);
  });

  test('F35: closes its clients one by one, so that they come to the others as no herd', async () => {
    const { clock, cut, one } = await twoNodes();
    const crowd = await Promise.all(times(99, (n) => one.enter(`user-${n}`)));
    cut(how);
    await pass(clock, 40_000, ...crowd);
    const left: number[] = [];
    for (let second = 0; second < 10; second++) {
      left.push(one.server.connections);
      await clock.advance(1_000);
    }
    expect([left[0], left[5], one.server.connections]).toEqual([98, 48, 0]);
  });

  test('F35: delivers nothing that is not stored, and what was not settled is stored once, elsewhere', async () => {
    const { clock, cut, two, one, ada, id, epoch } = await twoNodes();
    const bob = await one.enter('bob');
    await join(bob, id);
    const eve = await two.enter('eve');
    await join(eve, id);
    await clock.settle();
    cut(how);
    const sent = ada.send({ type: 'MESSAGE', transaction: id, payload: 'in the dark' });
    await pass(clock, 41_000, eve);
    for (const peer of [bob, eve]) expect(entriesOf(peer).map(({ payload }) => payload)).not.toContain('in the dark');
    expect(ada.received.some(({ ack }) => Number(ack) >= Number(sent.seq))).toBe(how === 'failing');
    const hai = { resume_token: tokenOf(ada), attempt: '9', resume: [{ transaction: id, epoch, seq: '1' }] };
    const back = await two.enter('ada', hai);
    expect(await say(back, id, 'in the dark', sent.id)).toBeGreaterThan(1);
    await seeEntry(eve, { payload: 'in the dark' });
    expect(await say(back, id, 'and again')).toBeGreaterThan(1);

    const heard = entriesOf(eve).map(({ payload, channel }) => [channel, payload]);
    expect(heard.filter(([channel, payload]) => channel === 'USER' && payload === 'in the dark')).toHaveLength(1);
  });

  test('F35: takes clients again once the store answers', async () => {
    const { clock, cut, mend, one, ada, id } = await twoNodes();
    cut(how);
    await pass(clock, 120_000, ada);
    expect(one.server.connections).toBe(0);
    mend();
    await clock.advance(10_000);
    expect(one.server.accept.unavailable?.()).toBeUndefined();
    const back = await one.enter('ada');
    await join(back, id);
    await say(back, id, 'hello again');

    await seeEntry(back, { payload: 'hello again' });
  });

  test('F35: whose store comes back while clients are being moved keeps those that are left', async () => {
    const { clock, cut, mend, one } = await twoNodes();
    const crowd = await Promise.all(times(99, (n) => one.enter(`user-${n}`)));
    cut(how);
    await pass(clock, 40_000, ...crowd);
    await clock.advance(5_000);
    mend();
    await pass(clock, 60_000, ...crowd);

    const left = crowd.filter(isOpen).length;
    expect([left > 0, left < 60, one.server.connections]).toEqual([true, true, left]);
  });

  test('F35: whose store comes back in time is left alone, and reads what it missed', async () => {
    const { clock, cut, mend, two, ada, id } = await twoNodes();
    const eve = await two.enter('eve');
    await join(eve, id);
    await clock.settle();
    cut(how);
    await say(eve, id, 'meanwhile');
    await pass(clock, 20_000, eve, ada);
    mend();
    await pass(clock, 20_000, eve, ada);

    expect(isOpen(ada)).toBe(true);
    expect(entriesOf(ada).map(({ payload }) => payload)).toContain('meanwhile');
  });

  test('leaves no timer when it is closed, and asks no more', async () => {
    const { clock, cut, one, ada } = await twoNodes();
    cut(how);
    await pass(clock, 45_000, ada);
    const closed = one.server.close();
    await clock.advance(30_000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});

describe('a store that is no more than slow', () => {
  test('F26: is not taken for lost, however slow every answer is', async () => {
    const nodes = testNodes();
    let slow = false;
    const one = nodes.node({}, (history) => ({
      ...history,
      async heads(...asked) {
        if (slow) await new Promise<void>((resolve) => nodes.clock.timer(25_000, resolve));
        return history.heads(...asked);
      },
    }));
    const ada = await one.enter('ada');
    slow = true;
    await pass(nodes.clock, 300_000, ada);

    expect(isOpen(ada)).toBe(true);
    expect(one.logged).toEqual([]);
  });

  test('A45: is heard, though the next question is always asked before it answers', async () => {
    const nodes = testNodes();
    let slow = false;
    const one = nodes.node({}, (history) => ({
      ...history,
      watch: () => () => {},
      async heads(...asked) {
        const answer = await history.heads(...asked);
        if (slow) await new Promise<void>((resolve) => nodes.clock.timer(25_000, resolve));
        return answer;
      },
    }));
    const ada = await one.enter('ada');
    slow = true;
    await pass(nodes.clock, 50_000, ada);
    expect(isOpen(ada)).toBe(true);
    await nodes.inner.revoke('ada');
    await pass(nodes.clock, 40_000, ada);

    expect(await ada.closed).toMatchObject({ code: 1008 });
  });

  test('A45: an answer that was overtaken by a newer one ends nobody', async () => {
    const nodes = testNodes();
    const answers: (() => void)[] = [];
    const one = nodes.node({}, (history) => ({
      ...history,
      watch: () => () => {},
      async heads(...asked) {
        const answer = await history.heads(...asked);
        await new Promise<void>((resolve) => answers.push(resolve));
        return answer;
      },
    }));
    const ada = await one.enter('ada');
    await nodes.clock.settle();
    answers[0]?.();
    await pass(nodes.clock, 9_000, ada);
    await nodes.inner.revoke('ada');
    await pass(nodes.clock, 11_000, ada);
    expect([isOpen(ada), answers.length]).toEqual([true, 3]);
    answers[2]?.();
    expect(await ada.closed).toMatchObject({ code: 1008 });
    await nodes.clock.advance(2_000);
    const back = await one.enter('ada');
    await nodes.clock.advance(2_000);
    answers[1]?.();
    await nodes.clock.settle();

    expect(isOpen(back)).toBe(true);
  });
});

test('F36: a node that itself stood still does not blame the store', async () => {
  const { clock, cut, mend, ada } = await twoNodes();
  cut('silent');
  await clock.advance(10_000);
  mend();
  await clock.stall(60_000);
  await pass(clock, 20_000, ada);
  expect(isOpen(ada)).toBe(true);
});

test('a store of one process is never taken for lost: there is nowhere else to go', async () => {
  const { clock, history, enter } = testServer();
  const ada = await enter('ada');
  history.heads = () => new Promise(() => {});
  await pass(clock, 120_000, ada);
  expect(isOpen(ada)).toBe(true);
});
