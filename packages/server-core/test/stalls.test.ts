// A process that stands still (a busy loop, a paused machine) holds nothing against its peers that they could not do then.

import type { Authenticator } from '@haip/protocol';
import { describe, expect, test } from 'vitest';
import { sendHai, start, testServer, userOf } from './support.ts';

describe('a server that stood still', () => {
  test('F36: still takes a HAI that came meanwhile, and closes 4408 who sends none afterwards', async () => {
    const { connect, clock } = testServer();
    const [speaking, silent] = [connect(), connect()];
    await clock.advance(1_000);
    await clock.stall(60_000);
    expect([speaking.link.open, silent.link.open]).toEqual([true, true]);
    sendHai(speaking, { auth: { user: 'ada' } });
    await speaking.until('HAI');
    await clock.advance(4_999);
    expect(silent.link.open).toBe(true);
    await clock.advance(1);

    expect(await silent.closed).toMatchObject({ code: 4408 });
    expect((await start(speaking)).id).toBeTruthy();
  });

  test('F36: still waits for an authenticator whose answer came meanwhile', async () => {
    const answer = Promise.withResolvers<void>();
    const authenticate: Authenticator = async () => {
      await answer.promise;
      return userOf('ada');
    };
    const { connect, clock, logged } = testServer({ authenticate });
    const peer = connect();
    sendHai(peer);
    await clock.advance(1_000);
    await clock.stall(60_000);
    answer.resolve();
    await peer.until('HAI');

    expect((await start(peer)).id).toBeTruthy();
    expect(logged).toEqual([]);
  });

  test('F36: still waits for a link that had no chance to say that it drained', async () => {
    const { enter, clock } = testServer({ limits: { drainTimeoutMs: 10_000 } });
    const eve = await enter('eve', {}, { highWaterBytes: 64 });
    const { id } = await start(eve);
    eve.link.stall('down');
    for (let n = 0; n < 5; n++) eve.send({ type: 'MESSAGE', transaction: id, payload: `message ${n}` });
    await clock.advance(5_000);
    await clock.stall(60_000);
    expect(eve.link.open).toBe(true);
    eve.link.resume('down');
    await clock.advance(20_000);

    expect(eve.received.some(({ payload }) => payload === 'message 4')).toBe(true);
    expect(eve.link.open).toBe(true);
  });
});
