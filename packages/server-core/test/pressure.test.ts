import { memoryLink } from '@haip/testing';
import { describe, expect, test } from 'vitest';
import { type TestServer, testServer } from './support.ts';

/** A connection that says how much waits for its network. */
function connectWith({ server }: TestServer, waiting: { bytes: number }) {
  const link = memoryLink();
  Object.defineProperty(link.server, 'unsent', { get: () => waiting.bytes });
  void server.accept(link.server, { transport: 'memory', headers: {} });
  return link;
}

describe('a server with a budget for what the network has not taken', () => {
  test('F37: takes nobody when more waits for the network than the budget, and those who are there go on', async () => {
    const test = testServer({ limits: { maxUnsentBytes: 1_000 } });
    const { server, clock, connect } = test;
    const [one, two] = [{ bytes: 500 }, { bytes: 500 }];
    const links = [connectWith(test, one), connectWith(test, two)];
    await clock.advance(1_000);
    expect(server.accept.unavailable?.()).toBeUndefined();
    two.bytes = 501;
    await clock.advance(1_000);

    expect(server.accept.unavailable?.()).toMatchObject({ code: 1013, retryAfterMs: 1_000 });
    expect(await connect().closed).toMatchObject({ code: 1013, reason: 'too much waits for the network' });
    expect(links.map(({ open }) => open)).toEqual([true, true]);
    one.bytes = 0;
    await clock.advance(1_000);
    expect(connect().link.open).toBe(true);
  });

  test('looks once a second at most, whoever comes', async () => {
    let looks = 0;
    const test = testServer();
    const link = memoryLink();
    Object.defineProperty(link.server, 'unsent', { get: () => void looks++ });
    void test.server.accept(link.server, { transport: 'memory', headers: {} });
    for (let n = 0; n < 500; n++) {
      test.connect();
      await test.clock.advance(10);
    }
    expect([looks > 2, looks < 7]).toEqual([true, true]);
  });

  test('a link that does not tell counts nothing', async () => {
    const { enter, clock, server } = testServer({ limits: { maxUnsentBytes: 1 } });
    await enter('ada');
    await clock.advance(5_000);
    expect(server.accept.unavailable?.()).toBeUndefined();
  });
});
