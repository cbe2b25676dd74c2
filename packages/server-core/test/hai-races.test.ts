// What a connection may do while the authenticator is asked, in every order and at any moment: HAI again, another HAI, the
// end. Whatever comes first, nothing is left of it. Spec: §2.1; attacks A37, A41.

import type { Authenticator } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sendHai, testServer, userOf } from './support.ts';

const steps = ['second', 'third', 'again', 'cut'] as const;

/** So many turns of promise chains, of which a HAI takes some dozen to be read, judged and answered. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined;
}

const maybe = fc.option(fc.nat(120), { freq: 2 });
const race = fc.record({
  /** What happens, each at a moment of its own: so in every order, and also halfway through one another. */
  events: fc.record({ second: maybe, third: maybe, again: maybe, cut: maybe }),
  /** What the authenticator says each time, and how long that takes; null for one that never says. */
  verdicts: fc.array(
    fc.record({ isGranted: fc.constantFrom(true, true, true, false), after: fc.option(fc.nat(40), { freq: 10 }) }),
    { minLength: 3, maxLength: 3 },
  ),
});

test('A37 and A41: HAIs, the verdict and the end, in any order, come to one session or none, and leave nothing', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(race, async ({ events, verdicts }) => {
      const asked = verdicts.values();
      const clock = fakeClock();
      let asking = 0;
      let isHanging = false;
      const authenticate: Authenticator = async (auth) => {
        const user = userOf('ada', { expiresAt: clock.now() + 60_000 });
        if (auth?.later) return user;
        expect(++asking).toBe(1);
        const { isGranted, after } = asked.next().value as (typeof verdicts)[number];
        isHanging = after === null;
        await (after === null ? new Promise(() => {}) : turns(after));
        asking--;
        return isGranted ? user : null;
      };
      // Whoever is left behind takes the one place that this user has.
      const limits = { maxConnectionsPerUser: 1, maxConnectionsPerAddress: 1 };
      const { connect, logged, server } = testServer({ clock, authenticate, limits, remoteAddress: '192.0.2.1' });
      const peer = connect();
      const first = sendHai(peer);
      const sent = [first];
      const act = {
        second: () => sent.push(sendHai(peer)),
        third: () => sent.push(sendHai(peer)),
        again: () => peer.send({ ...first }),
        cut: () => peer.link.cut(),
      };
      for (const step of steps) {
        const at = events[step];
        if (at !== null) void turns(at).then(() => void act[step]());
      }
      await clock.settle();

      const answers = peer.received.filter(({ type }) => type === 'HAI' || type === 'ERROR');
      const welcomes = peer.received.filter(({ type }) => type === 'HAI');
      const sessions = new Set(welcomes.map(({ session }) => session));
      expect(sessions.size).toBe(welcomes.length > 0 ? 1 : 0);
      if (events.cut !== null) {
        expect(peer.link.open).toBe(false);
      } else if (peer.link.open) {
        // It goes on: each HAI that was judged was answered once, and it is the one connection there is.
        const judged = isHanging ? sent.slice(0, -1) : sent;
        expect(answers.map(({ related_id }) => related_id)).toEqual(judged.map(({ id }) => id));
        expect(server.connections).toBe(1);
      } else {
        const { code } = await peer.closed;
        const isRefused = answers.some(({ type, related_id }) => type === 'ERROR' && related_id === first.id);
        expect(code).toBe(isRefused ? 1008 : 4429);
        if (code === 4429) expect(answers.length).toBeLessThan(sent.length);
      }
      seen.add(peer.link.open ? 'open' : String((await peer.closed).code)).add(`${welcomes.length} welcomes`);

      peer.link.cut();
      await clock.settle();
      expect([server.connections, clock.pending, peer.link.open]).toEqual([0, 0, false]);
      // Whoever comes back goes on as that session.
      const next = connect();
      sendHai(next, { auth: { later: true }, resume_token: welcomes.at(-1)?.payload.resume_token ?? '' });
      const { session } = await next.expect('HAI');
      expect(welcomes.length === 0 || sessions.has(session)).toBe(true);
      expect(logged).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
  // Else the property would be true of nothing.
  expect([...seen]).toEqual(
    expect.arrayContaining(['open', '1006', '1008', '4429', '0 welcomes', '1 welcomes', '2 welcomes']),
  );
});
