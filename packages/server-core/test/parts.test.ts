import type { Connection } from '@haip/protocol';
import { fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorBudget } from '../src/error-budget.ts';
import { Heartbeat } from '../src/heartbeat.ts';
import { defaultLimits, readLimits } from '../src/limits.ts';
import { LoggedEntry } from '../src/logged-entry.ts';
import { issueToken, readToken } from '../src/resume-token.ts';
import { SerialQueue } from '../src/serial-queue.ts';
import { Settlement } from '../src/settlement.ts';
import { Tail } from '../src/tail.ts';
import { judgeCursor, verdictPayload } from '../src/verdict.ts';
import { testSigner } from './support.ts';

describe('a serial queue', () => {
  test('runs jobs one after another in the order they came, whatever they throw', async () => {
    const job = fc.record({ turns: fc.integer({ min: 0, max: 3 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(job), async (jobs) => {
        const [ran, failed]: [number[], unknown[]] = [[], []];
        let running = 0;
        const queue = new SerialQueue((error) => failed.push(error));
        for (const [n, { turns, fails }] of jobs.entries()) {
          const late = async (): Promise<void> => {
            expect(++running).toBe(1);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            running--;
            ran.push(n);
            if (fails) throw n;
          };
          const atOnce = (): void => {
            ran.push(n);
            if (fails) throw n;
          };
          queue.push(turns > 0 ? late : atOnce);
        }
        await fakeClock().settle();
        expect(ran).toEqual(jobs.map((_, n) => n));
        expect(failed).toEqual(jobs.flatMap(({ fails }, n) => (fails ? [n] : [])));
        expect([queue.idle, queue.length]).toEqual([true, 0]);
      }),
    );
  });

  test('runs a job at once when nothing waits before it', () => {
    const ran: number[] = [];
    const queue = new SerialQueue(() => expect.unreachable());
    queue.push(() => void ran.push(1));

    expect([ran, queue.idle]).toEqual([[1], true]);
  });
});

describe('settlement', () => {
  test('[ACK-5] tells the last number up to which all are settled, each time it rises and not again', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('take' as const), fc.nat(20))), (steps) => {
        const settlement = new Settlement();
        const open = new Set<number>();
        let [taken, told] = [0, 0];
        for (const step of steps) {
          if (step === 'take') {
            settlement.take(++taken);
            open.add(taken);
          } else if (open.delete(step)) settlement.settle(step);
          const settled = Math.min(taken + 1, ...open) - 1;
          expect(settlement.settled).toBe(settled);
          expect(settlement.hasNews).toBe(settled !== told);
          expect(settlement.news()).toBe(settled === told ? undefined : settled);
          told = settled;
        }
        settlement.repeat();
        expect(settlement.news()).toBe(told);
      }),
    );
  });
});

describe('an error budget', () => {
  test('[ERR-5] lasts for so many errors a minute, and is whole again after it', () => {
    const budget = new ErrorBudget(2);
    const spent = [0, 1, 2, 59_999, 60_000, 60_001, 60_002].map((now) => budget.spend(now));

    expect(spent).toEqual([true, true, false, false, true, true, false]);
  });
});

describe('the tail of a log', () => {
  const entryAt = (position: number, size: number): LoggedEntry =>
    new LoggedEntry('tx', {
      position,
      id: `m-${position}`,
      user: null,
      session: 's',
      ts: 0,
      channel: 'AGENT',
      type: 'MESSAGE',
      payload: 'x',
      size,
    });

  test('gives what follows a position, or says that it does not reach back so far', () => {
    const gaps = fc.array(fc.record({ skip: fc.constantFrom(0, 0, 0, 2), size: fc.constantFrom(10, 300_000) }), {
      maxLength: 700,
    });
    fc.assert(
      fc.property(fc.nat(50), gaps, fc.array(fc.nat(900), { maxLength: 5 }), (begin, steps, asked) => {
        const tail = new Tail(begin);
        const all: LoggedEntry[] = [];
        let last = begin;
        for (const { skip, size } of steps) {
          last += skip + 1;
          all.push(entryAt(last, size));
          tail.extend(all.slice(-1), last);
          expect(tail.after(last - 1)).toEqual(all.slice(-1));
        }
        for (const position of [begin, last, last + 1, ...asked]) {
          const known = tail.after(position);
          if (known !== undefined) expect(known).toEqual(all.filter(({ entry }) => entry.position > position));
          else expect(position).toBeLessThan(last);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('keeps no more than its share, and nothing once it is cleared', () => {
    const tail = new Tail(0);
    for (let position = 1; position <= 5_000; position++) tail.extend([entryAt(position, 10)], position);
    const kept = Array.from({ length: 5_000 }, (_, n) => n).filter((n) => tail.after(n) !== undefined).length;
    tail.clear();

    expect(kept).toBeLessThanOrEqual(512);
    expect([tail.after(4_999), tail.after(5_000)]).toEqual([undefined, []]);
  });
});

function heartbeatOf() {
  const clock = fakeClock();
  const connection = { heard: 0 };
  const said: string[] = [];
  const limits = { pingAfterMs: 20_000, deadAfterMs: 10_000 };
  const heartbeat = new Heartbeat(clock, limits, connection as unknown as Connection, {
    ping: () => void said.push(`ping ${clock.monotonic()}`),
    giveUp: () => void said.push(`dead ${clock.monotonic()}`),
  });
  return { clock, connection, said, heartbeat };
}

describe('a heartbeat', () => {
  test('[CLOSE-2] asks after 20 s of silence and gives up 10 s later', async () => {
    const { clock, said } = heartbeatOf();
    await clock.advance(100_000);

    expect([said, clock.pending]).toEqual([['ping 20000', 'dead 30000'], 0]);
  });

  test('[CLOSE-2] never asks a peer that is heard every 19 s, and never gives it up', async () => {
    const { clock, connection, said, heartbeat } = heartbeatOf();
    for (let n = 0; n < 20; n++) {
      await clock.advance(19_000);
      connection.heard++;
    }
    heartbeat.stop();

    expect([said, clock.pending]).toEqual([[], 0]);
  });

  test('[CLOSE-2] goes on when the peer answers', async () => {
    const { clock, connection, said } = heartbeatOf();
    await clock.advance(25_000);
    connection.heard++;
    await clock.advance(100_000);

    expect(said[0]).toBe('ping 20000');
    expect(said.at(-1)).toMatch(/^dead/);
    expect(said.filter((word) => word.startsWith('dead'))).toHaveLength(1);
    expect(Number(said.at(-1)?.slice(5))).toBeGreaterThan(50_000);
  });
});

describe('a heartbeat of a process that stood still', () => {
  test('F36: gives up no peer whose answer was only not read yet', async () => {
    const { clock, connection, said, heartbeat } = heartbeatOf();
    await clock.advance(20_000);
    await clock.stall(15_000);
    expect(said).toEqual(['ping 20000']);
    connection.heard++;
    await clock.advance(10_000);
    heartbeat.stop();

    expect([said, clock.pending]).toEqual([['ping 20000'], 0]);
  });

  test('F36: gives up a peer that says nothing afterwards, as late as if it had just been asked', async () => {
    const { clock, said } = heartbeatOf();
    await clock.advance(20_000);
    await clock.stall(3_600_000);
    await clock.advance(9_999);
    expect(said).toEqual(['ping 20000']);
    await clock.advance(1);

    expect([said, clock.pending]).toEqual([['ping 20000', 'dead 3630000'], 0]);
  });

  test('F36: counts a stall as no silence', async () => {
    const { clock, said, heartbeat } = heartbeatOf();
    for (let n = 0; n < 3; n++) await clock.stall(60_000);
    heartbeat.stop();

    expect(said).toEqual([]);
  });
});

describe('a verdict', () => {
  test('[JOIN-3, JOIN-4, JOIN-5] never hands over twice, and names exactly what is missing', () => {
    const extent = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(30));
    fc.assert(
      fc.property(extent, fc.nat(80), fc.boolean(), ([first, length], seq, isSameEpoch) => {
        const log = { epoch: 'e', first, last: first - 1 + length };
        const { verdict, position } = judgeCursor(log, isSameEpoch ? 'e' : 'other', seq);
        expect(position).toBeGreaterThanOrEqual(first - 1);
        expect(position).toBeLessThanOrEqual(log.last);
        if (verdict === 'resumed') expect([position, isSameEpoch]).toEqual([seq, true]);
        else expect(isSameEpoch && seq >= first - 1 && seq <= log.last).toBe(false);
        const payload = verdictPayload(log.epoch, log.last, { verdict, position });
        expect(payload).toEqual(
          verdict === 'resumed'
            ? { verdict, epoch: 'e', seq: String(seq), last: String(log.last) }
            : { verdict, epoch: 'e', first: String(position + 1), last: String(log.last) },
        );
      }),
    );
  });
});

describe('limits', () => {
  test('are the defaults with the given ones in their place', () => {
    expect(readLimits()).toEqual(defaultLimits);
    expect(readLimits({ maxJoined: 7 })).toEqual({ ...defaultLimits, maxJoined: 7 });
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5' as never])(
    'F39: a duration of %s is refused by name at start-up',
    (value) => {
      expect(() => readLimits({ pingAfterMs: value })).toThrow(/limits\.pingAfterMs: expected a whole number/);
    },
  );

  test('F39: the longest duration that a timer holds is taken', () => {
    expect(readLimits({ turnTimeoutMs: 2 ** 31 - 1 }).turnTimeoutMs).toBe(2 ** 31 - 1);
  });
});

describe('a resume token', () => {
  test('[HAI-13, HAI-14] is good for its session and its user, and for nothing else', async () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/);
    await fc.assert(
      fc.asyncProperty(id, fc.string(), fc.string(), async (session, user, other) => {
        const signer = testSigner();
        const token = await issueToken(signer, session, user, 1);
        expect(await readToken(signer, token, user, 0)).toBe(session);
        expect(await readToken(signer, token, user, 1)).toBeUndefined();
        expect(await readToken(signer, token.replace('.1.', '.2.'), user, 1)).toBeUndefined();
        expect(await readToken(signer, `${token}x`, user, 0)).toBeUndefined();
        expect(await readToken(signer, `x${token}`, user, 0)).toBeUndefined();
        expect(await readToken(testSigner('other key'), token, user, 0)).toBeUndefined();
        if (other !== user) expect(await readToken(signer, token, other, 0)).toBeUndefined();
      }),
    );
  });

  test.each([undefined, null, 7, {}, '', '.', 'no-dot', '*.mac', `${'a'.repeat(200)}.mac`])(
    '%j is none',
    async (token) => {
      const trusting = { sign: () => 'mac', verify: () => true };

      expect(await readToken(trusting, token, 'ada', 0)).toBeUndefined();
    },
  );
});
