import type { Call, Entry, HistoryStore, JsonValue, MessageWriter, Turn } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lateHistory, mortalStore, testHistory } from './stores.ts';
import { start, testServer, userOf } from './support.ts';
import { brokenTerminals, leftOpen } from './terminals.ts';
import { toolThat } from './tools.ts';

/** What a tool does in its turn, one after the other. Most turns are long enough for something to happen to them. */
const anyDeed = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('stream', 'write', 'call', 'ask', 'wait') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('reply', 'end', 'progress', 'done', 'hasty', 'later', 'wait for ever', 'give up'),
  },
  { weight: 1, arbitrary: fc.constant('throw') },
);

const wishes = ['RUN_CANCEL', 'TOOL_CANCEL', 'TOOL_DONE', 'APPROVED', 'APPROVED', 'DENIED'] as const;

const anyStep = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      deeds: fc.array(anyDeed, { minLength: 1, maxLength: 9, size: 'max' }),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constantFrom(...wishes),
      by: fc.constantFrom('ada', 'eve'),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('go on' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 1_000, 5_000, 31_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
);
const anySteps = fc.array(anyStep, { minLength: 3, maxLength: 24, size: 'max' });
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never;

/** Does what its message says, and what it is refused does not stop it. */
function obedient(gates: Set<() => void>) {
  return async (turn: Turn, input: unknown): Promise<void> => {
    let writer: MessageWriter | undefined;
    let call: Call | undefined;
    const deeds: Record<string, () => unknown> = {
      reply: () => turn.reply('a reply'),
      stream: async () => {
        writer = await turn.stream();
      },
      write: () => writer?.write('word '),
      end: () => writer?.end(),
      call: async () => {
        call = await turn.call('search');
      },
      progress: () => call?.progress(0.5),
      ask: async () => {
        call = await turn.call('book');
        await call.ask('Sure?');
      },
      done: () => call?.done('result'),
      hasty: () => {
        for (const said of [turn.reply('nobody waits for this'), writer?.write('hasty ')]) said?.catch(() => {});
      },
      later: () => {
        const late = async (): Promise<void> => {
          await turn.reply('late').catch(() => {});
          await turn.stream().catch(() => {});
          await call?.done('late').catch(() => {});
        };
        gates.add(() => void late());
      },
      wait: () =>
        new Promise<void>((resolve) => {
          gates.add(resolve);
          turn.signal.addEventListener('abort', () => resolve());
        }),
      'wait for ever': () => new Promise<void>((resolve) => gates.add(resolve)),
    };
    for (const deed of input as string[]) {
      if (deed === 'throw') throw new Error('as it was told');
      if (deed === 'give up') turn.signal.throwIfAborted();
      else await Promise.resolve(deeds[deed]?.()).catch(() => {});
    }
  };
}

/** People, servers that die and take over from each other, and one transaction. */
async function world(makeStore: (clock: FakeClock) => HistoryStore, whileRunning: 'queue' | 'interrupt') {
  const clock = fakeClock();
  // All that was ever stored is judged, so nothing is compacted.
  const history: HistoryStore = { ...makeStore(clock), compact: () => {} };
  const gates = new Set<() => void>();
  const serve = () => {
    const own = mortalStore(history);
    const tool = { ...toolThat(obedient(gates) as never), whileRunning };
    const limits = { turnTimeoutMs: 60_000, maxProtocolErrors: 1_000 };
    const rights = userOf('x').permissions;
    const server = testServer({
      clock,
      history: own,
      tools: [tool],
      limits,
      authenticate: ({ user }) => userOf(user, { permissions: { ...rights, TRANSACTION_LEAVE: ['*'] } }),
    });
    onTestFinished(own.bury);
    return { ...server, kill: own.kill };
  };
  let server = serve();
  const { id } = await start(await server.enter('ada'), 'tool');
  const entries = async (): Promise<readonly Entry[]> =>
    (await history.read(id, { from: 1, maxEntries: 100_000, maxBytes: 1e9 }))?.entries ?? [];

  async function write(user: string, type: string, payload: JsonValue): Promise<void> {
    const peer = await server.enter(user);
    peer.send({ type, transaction: id, payload });
    await clock.settle();
  }

  async function take(step: Step): Promise<void> {
    const log = await entries();
    const run = log.findLast(({ type }) => type === 'RUN_STARTED')?.run_id ?? 'none';
    const called = log.findLast(({ type }) => type === 'TOOL_CALL')?.payload as { call_id: string } | undefined;
    const call_id = called?.call_id ?? 'none';
    switch (step.do) {
      case 'say':
        return write('ada', 'MESSAGE', step.deeds);
      case 'RUN_CANCEL':
        return write(step.by, 'RUN_CANCEL', { run_id: run });
      case 'TOOL_CANCEL':
      case 'TOOL_DONE':
        return write(step.by, step.do, { call_id });
      case 'APPROVED':
      case 'DENIED':
        return write(step.by, 'TOOL_UPDATE', { call_id, status: step.do });
      case 'go on': {
        const [gate] = gates;
        if (gate) gates.delete(gate);
        return gate?.();
      }
      case 'pass':
        return clock.advance(step.ms);
      case 'drop': {
        const peer = await server.enter('eve');
        peer.send({ type: 'TRANSACTION_JOIN', transaction: id, payload: {} });
        peer.link.cut();
        return clock.settle();
      }
      case 'kill':
        server.kill();
        server = serve();
        return;
      case 'end':
        return write('eve', 'TRANSACTION_END', {});
    }
  }

  /** Until all that was begun had its time, whoever must take it over. */
  async function quiet(): Promise<void> {
    for (let n = 0; n < 12; n++) {
      const peer = await server.enter('eve');
      peer.send({ type: 'TRANSACTION_JOIN', transaction: id, payload: {} });
      await clock.advance(31_000);
      for (const gate of gates) gate();
      gates.clear();
      for (let settles = 0; settles < 10; settles++) await clock.settle();
    }
  }
  return { take, quiet, entries };
}

let seed = 0;

describe.each([
  ['a store that is done at once', testHistory],
  ['a store that is late by chance', (clock: FakeClock) => lateHistory(clock, ++seed)],
] as const)('over %s', (_, makeStore) => {
  test.each(['queue', 'interrupt'] as const)(
    'I16: whatever people, tools and dying servers do, all ends once and nothing comes after it (%s) [RUN-1]',
    async (whileRunning) => {
      const kinds = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(fc.noBias(anySteps), async (steps) => {
          const { take, quiet, entries } = await world(makeStore, whileRunning);
          for (const step of steps) {
            await take(step);
            expect(brokenTerminals(await entries())).toEqual([]);
          }
          await quiet();
          const log = await entries();
          expect(brokenTerminals(log)).toEqual([]);
          expect(leftOpen(log)).toEqual([]);
          for (const { type, payload } of log) {
            const kind = `${type} ${(payload as { status?: string } | null)?.status ?? ''}`;
            kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
          }
        }),
        { numRuns: 50, seed: 7 },
      );

      // A run in which nothing was cancelled, approved or taken over would prove nothing.
      const rare = ['RUN_FINISHED CANCELLED', 'RUN_FINISHED INTERRUPTED', 'RUN_ERROR ', 'TOOL_UPDATE APPROVED'];
      for (const kind of [...rare, 'TOOL_DONE CANCELLED']) expect([kind, kinds.get(kind) ?? 0]).not.toEqual([kind, 0]);
    },
    60_000,
  );
});

describe('what judges the ends', () => {
  const log = (...steps: readonly (readonly [type: string, payload: JsonValue, user?: string])[]): Entry[] =>
    steps.map(([type, payload, user = null], at) => ({
      position: at + 1,
      id: `e-${at}`,
      user,
      session: 's',
      ts: 0,
      channel: 'AGENT',
      type,
      payload,
      size: 0,
      run_id: 'r',
    }));
  const run = ['RUN_STARTED', {}] as const;
  const finish = ['RUN_FINISHED', { status: 'OK' }] as const;
  const call = (type: string, fields = {}) => [type, { call_id: 'c', ...fields }] as const;
  const text = (type: string) => [type, { message_id: 'm' }] as const;

  test.each([
    ['a second end of a run', log(run, finish, ['RUN_ERROR', {}])],
    ['an entry of a run after its end', log(run, finish, ['MESSAGE', 'late'])],
    ['a run that begins twice', log(run, run)],
    ['an end without a begin', log(finish)],
    ['a part after the end', log(run, text('MESSAGE_START'), text('MESSAGE_END'), text('MESSAGE_PART'))],
    ['progress after the end of a call', log(run, call('TOOL_CALL'), call('TOOL_DONE'), call('TOOL_UPDATE'))],
    ['a word that nobody asked for', log(run, call('TOOL_CALL'), call('TOOL_UPDATE', { status: 'APPROVED' }))],
    ['anything after the end of all', log(run, ['TRANSACTION_END', {}], ['MESSAGE', 'late', 'ada'])],
  ])('finds %s', (_, entries) => {
    expect(brokenTerminals(entries)).not.toEqual([]);
  });

  test('finds what was left open, and nothing in a log that is in order', () => {
    const opened = log(run, text('MESSAGE_START'), call('TOOL_CALL'));
    const closed = log(run, text('MESSAGE_START'), call('TOOL_CALL'), text('MESSAGE_END'), call('TOOL_DONE'), finish);
    expect(leftOpen(opened)).toEqual(['run r', 'message m', 'call c']);
    expect([leftOpen(closed), brokenTerminals(closed)]).toEqual([[], []]);
  });
});
