// The same random work on this store and on the reference store, with time that passes, bytes that fill up, subjects
// within others and texts that were cut off: both must say the same of everything.
import { memoryHistory } from '@haip/history-memory';
import { bodyDigest, type Draft, type HistoryStore, type JsonValue, subjectOf } from '@haip/protocol';
import { type FakeClock, fakeClock } from '@haip/testing';
import { recordOf, startOf } from '@haip/testing/store-kit';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { redisHistory } from '../src/index.ts';
import { redisUrl, temporaryPrefixes } from './prefixes.ts';

const MINUTE = 60_000;
const nextPrefix = temporaryPrefixes();

interface Written {
  readonly type: string;
  readonly user: string | null;
  /** Which of a few messages, runs and calls it is about. */
  readonly about: number;
  readonly size: number;
  /** Take the id of this draft of before instead of a new one. */
  readonly again: number | undefined;
  readonly fenced: boolean;
}

type Action =
  | { readonly do: 'append'; readonly drafts: readonly Written[] }
  | { readonly do: 'compact'; readonly about: number }
  | { readonly do: 'pass'; readonly ms: number };

const types = [
  'MESSAGE',
  'MESSAGE_START',
  'MESSAGE_PART',
  'MESSAGE_END',
  'MESSAGE_END torn',
  'RUN_STARTED',
  'RUN_FINISHED',
  'TOOL_CALL',
  'TOOL_UPDATE asks',
  'TOOL_UPDATE answers',
  'TOOL_UPDATE',
  'TOOL_DONE',
];

const written: fc.Arbitrary<Written> = fc.record({
  type: fc.oneof(
    { weight: 80, arbitrary: fc.constantFrom(...types) },
    { weight: 1, arbitrary: fc.constant('TRANSACTION_END') },
  ),
  user: fc.constantFrom('ann', 'bob', null),
  about: fc.nat(4),
  // Some are larger than all that a window may hold.
  size: fc.oneof({ weight: 9, arbitrary: fc.nat(600) }, { weight: 1, arbitrary: fc.integer({ min: 2000, max: 4000 }) }),
  again: fc.option(fc.nat(20), { nil: undefined, freq: 4 }),
  fenced: fc.boolean(),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('append' as const), drafts: fc.array(written, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const), about: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(8 * MINUTE) }) },
);

function payloadOf({ type, about }: Written): JsonValue {
  const id = String(about);
  switch (type) {
    case 'MESSAGE_END':
      return { message_id: id, start_seq: '1', text: 'all of it' };
    case 'TOOL_UPDATE asks':
      return { call_id: id, status: 'WAITING', ask: '?' };
    case 'TOOL_UPDATE answers':
      return { call_id: id, status: 'APPROVED' };
    case 'TOOL_UPDATE':
      return { call_id: id, status: 'RUNNING' };
    default:
      return { message_id: id, call_id: id, text: 'x' };
  }
}

function draftOf(spec: Written, earlier: readonly Draft[]): Draft {
  const { user, size, about, again } = spec;
  const [type = ''] = spec.type.split(' ');
  const payload = spec.type.endsWith('torn') ? { message_id: String(about), start_seq: '1' } : payloadOf(spec);
  const subject = subjectOf(type, payload, user ?? '', String(about));
  const known = again === undefined ? undefined : earlier[again];
  return {
    id: known !== undefined && known.user === user ? known.id : crypto.randomUUID(),
    user,
    session: 'session',
    ts: 1,
    channel: 'USER',
    type,
    payload,
    size,
    digest: bodyDigest(type, payload),
    ...(subject === undefined ? {} : { subject }),
  };
}

/** One log on both stores. */
class Pair {
  readonly drafts: Draft[] = [];
  readonly #stores: readonly HistoryStore[];
  readonly #transaction = crypto.randomUUID();
  readonly #ends = new Map<string, { start: number; end: number }>();
  #fences: readonly number[] = [];

  constructor(stores: readonly HistoryStore[]) {
    this.#stores = stores;
  }

  async begin(): Promise<void> {
    const record = recordOf(this.#transaction);
    for (const store of this.#stores) await store.create(record, { ...startOf(record), id: 'start' });
    const leases = await Promise.all(this.#stores.map((store) => store.lease(this.#transaction, 'node', 1)));
    this.#fences = leases.map((lease) => lease?.fence ?? Number.NaN);
  }

  async append(specs: readonly Written[]): Promise<void> {
    for (const fenced of [false, true]) {
      const drafts = specs.filter((spec) => spec.fenced === fenced).map((spec) => draftOf(spec, this.drafts));
      const outcomes = await Promise.all(
        this.#stores.map(async (store, i) => {
          const own = drafts.map((draft) => ({ ...draft }));
          await store.append(this.#transaction, own, fenced ? this.#fences[i] : undefined);
          return own.map(({ outcome }) => outcome);
        }),
      );
      expect(outcomes[1]).toEqual(outcomes[0]);
      this.#note(drafts, outcomes[0] ?? []);
    }
  }

  async compact(about: number): Promise<void> {
    const extent = this.#ends.get(`message:${about}`) ?? { start: 1, end: 1 };
    for (const store of this.#stores) await store.compact(this.#transaction, { messageId: String(about), ...extent });
  }

  async expectSame(): Promise<void> {
    const looks = await Promise.all(
      this.#stores.map(async (store) => {
        const page = await store.read(this.#transaction, { from: 1, maxEntries: 1000 });
        const entries = page?.entries.map(({ position, id }) => ({ position, id }));
        const found = await Promise.all(
          this.drafts.map(({ user, id }) => (user === null ? null : store.find(this.#transaction, user, id))),
        );
        return { first: page?.first, last: page?.last, entries, found };
      }),
    );
    expect(looks[1]).toEqual(looks[0]);
  }

  #note(drafts: readonly Draft[], outcomes: readonly Draft['outcome'][]): void {
    for (const [i, draft] of drafts.entries()) {
      const outcome = outcomes[i];
      if (outcome?.kind !== 'stored') continue;
      this.drafts.push(draft);
      const { key = '', step } = draft.subject ?? {};
      const extent = this.#ends.get(key) ?? { start: outcome.position, end: 0 };
      if (step !== undefined) this.#ends.set(key, { ...extent, end: outcome.position });
    }
  }
}

interface Kept {
  readonly windowSize: number;
  readonly windowTime: number;
  readonly maxBytes: number;
}

const windows: readonly Kept[] = [
  { windowSize: 4, windowTime: 60 * MINUTE, maxBytes: 2 ** 20 },
  { windowSize: 100, windowTime: 5 * MINUTE, maxBytes: 2 ** 20 },
  { windowSize: 100, windowTime: 60 * MINUTE, maxBytes: 2_000 },
  { windowSize: 100, windowTime: 60 * MINUTE, maxBytes: 8_000 },
  { windowSize: 6, windowTime: 10 * MINUTE, maxBytes: 4_000 },
];

const opened: HistoryStore[] = [];
afterAll(async () => {
  for (const store of opened) await store.close();
});

async function both(clock: FakeClock, kept: Kept): Promise<readonly HistoryStore[]> {
  const stores = [
    memoryHistory({ clock, ...kept }),
    await redisHistory({ url: redisUrl, prefix: nextPrefix(), clock, logger: () => {}, ...kept }),
  ];
  opened.push(...stores);
  return stores;
}

test.each(windows)(
  'random work gives what the reference store gives: $windowSize messages, $windowTime ms, $maxBytes bytes',
  { timeout: 240_000 },
  async (kept) => {
    const clock = fakeClock();
    const stores = await both(clock, kept);
    const property = fc.asyncProperty(fc.array(action, { maxLength: 50, size: 'max' }), async (actions) => {
      const pair = new Pair(stores);
      await pair.begin();
      // Ids are known for a quarter of an hour at least; how much longer is each store's own affair.
      let passed = 0;
      for (const step of actions) {
        if (step.do === 'append') await pair.append(step.drafts);
        if (step.do === 'compact') await pair.compact(step.about);
        if (step.do === 'pass' && passed + step.ms < 15 * MINUTE) {
          passed += step.ms;
          await clock.advance(step.ms);
        }
        await pair.expectSame();
      }
    });
    await fc.assert(property, { numRuns: 50 });
  },
);
