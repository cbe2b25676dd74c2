// Invariant 21 as a property: whatever is sent, again or by two connections at once, over stores and ledgers that
// answer late and fail before or after they did it, what was taken is what the stored messages cost, and never more
// than there was.

import type { Tool } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { lateLedger, watchedLedger } from './ledgers.ts';
import { lateHistory } from './stores.ts';
import { join, settled, start, testServer, userOf } from './support.ts';

/** Takes numbers only: anything else is refused for good. */
const numbers: Tool<number> = { name: 'numbers', input: v.number() };

const CREDITS = 12;
const priceOf = (payload: unknown): number => Number(payload) % 4;

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('say' as const), who: fc.nat(1), key: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('misfit' as const), who: fc.nat(1), key: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), when: fc.constantFrom('before', 'after') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('grant' as const), amount: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
);

test('I21: the sum debited is what the stored messages cost, and no balance is ever below zero', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const clock = fakeClock();
      const history = lateHistory(clock, seed);
      const inner = watchedLedger(clock);
      const ledger = lateLedger(inner, () => ((seed % 7) + 1) / 8);
      const { enter, server } = testServer({
        clock,
        history,
        tools: [numbers],
        credits: { ledger, cost: ({ payload }) => priceOf(payload) },
        authenticate: ({ user }) => userOf(user, { credits: CREDITS }),
      });
      const peers = [await enter('ada'), await enter('ada')] as const;
      const { id } = await start(peers[0], 'numbers');
      await join(peers[1], id);
      let granted = 0;
      for (const it of steps) {
        if (it.kind === 'say')
          peers[it.who as 0 | 1].send({ type: 'MESSAGE', transaction: id, id: `key-${it.key}`, payload: it.key });
        else if (it.kind === 'misfit')
          peers[it.who as 0 | 1].send({ type: 'MESSAGE', transaction: id, id: `key-${it.key}`, payload: 'misfit' });
        else if (it.kind === 'fail') ledger.failNext('debit', it.when as 'before');
        else if (it.kind === 'grant') {
          granted += it.amount;
          await server.credits.grant('ada', it.amount);
        } else {
          history.failAfterCommit = history.failBefore = 0.15;
          await clock.settle();
        }
      }
      history.failAfterCommit = history.failBefore = 0;
      // Now everything works, and whatever is still wanted is sent again until all of it is settled.
      for (let round = 0; round < 12; round++) {
        for (const it of steps) {
          if (it.kind !== 'say') continue;
          const again = { type: 'MESSAGE', transaction: id, id: `key-${it.key}`, payload: it.key };
          await settled(peers[it.who as 0 | 1], peers[it.who as 0 | 1].send(again));
        }
      }
      await clock.settle();
      const stored = (await history.read(id, { from: 1, maxEntries: 1000 }))?.entries ?? [];
      const cost = stored.reduce((sum, { type, payload }) => sum + (type === 'MESSAGE' ? priceOf(payload) : 0), 0);
      const taken = [...inner.taken.values()].reduce((sum, amount) => sum + amount, 0);

      expect(taken).toBe(cost);
      expect(await server.credits.balance('ada')).toBe(CREDITS + granted - cost);
      expect(inner.lowest).toBeGreaterThanOrEqual(0);
    }),
    {
      numRuns: 60,
      // Refused on one connection while the other has it stored, under one id.
      examples: [
        [
          [
            { kind: 'misfit', who: 1, key: 5 },
            { kind: 'say', who: 0, key: 5 },
          ],
          0,
        ],
      ],
    },
  );
}, 60_000);
