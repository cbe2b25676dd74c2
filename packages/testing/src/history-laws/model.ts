// A whole log against a plain array that does everything the slow and obvious way. Random work on both must give the
// same answers. Shares no code with any store. Spec: §3, §4, invariants 1–3, 10, 16.

import { bodyDigest, type Draft, type HistoryStore, type Outcome } from '@haip/protocol';
import fc from 'fast-check';
import { expect } from 'vitest';
import { draft, type HistoryLaw, Log, messageEnd, messagePart, messageStart } from './context.ts';

type What = 'message' | 'start' | 'part' | 'end' | 'torn' | 'call' | 'done' | 'close';

interface Written {
  readonly what: What;
  readonly user: string | null;
  /** Which of a few streams and calls it is about. */
  readonly subject: number;
  /** Take the id of an earlier draft by a user instead of a new one. */
  readonly again: number | undefined;
}

type Action =
  | { readonly do: 'append'; readonly drafts: readonly Written[] }
  | { readonly do: 'compact'; readonly subject: number }
  | { readonly do: 'read'; readonly from: number; readonly to: number | undefined; readonly maxEntries: number };

const written: fc.Arbitrary<Written> = fc.record({
  what: fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom<What>('message', 'start', 'part', 'part', 'end', 'torn', 'call', 'done') },
    { weight: 1, arbitrary: fc.constant<What>('close') },
  ),
  user: fc.constantFrom('ann', 'bob', null),
  subject: fc.nat(5),
  again: fc.option(fc.nat(20), { nil: undefined, freq: 4 }),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('append' as const), drafts: fc.array(written, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const), subject: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      from: fc.nat(80),
      to: fc.option(fc.nat(80), { nil: undefined }),
      maxEntries: fc.integer({ min: 1, max: 30 }),
    }),
  },
);

interface Stream {
  state: 'open' | 'whole' | 'torn';
  readonly owner: string | null;
  readonly start: number;
  last: number;
}

/** The obvious log: an array that only grows, marks for what was deleted, and a look at everything each time. */
class Model {
  readonly entries: { readonly position: number; readonly draft: Draft; readonly stream: string | undefined }[] = [];
  readonly deleted = new Set<number>();
  readonly streams = new Map<string, Stream>();
  readonly #calls = new Map<string, 'open' | 'ended'>();
  readonly #windowSize: number;
  #isClosed = false;
  first = 1;

  constructor(windowSize: number) {
    this.#windowSize = windowSize;
  }

  append(one: Draft, what: What, subject: string): Outcome {
    const known = this.entries.find(({ draft: { id, user } }) => id === one.id && user === one.user);
    if (known !== undefined) return { kind: 'repeat', position: known.position, digest: known.draft.digest };
    if (this.#isClosed) return { kind: 'refused', why: 'ended' };
    const position = this.entries.length + 1;
    if (!this.#isAllowed(what, subject, one.user, position)) return { kind: 'refused', why: 'subject' };
    const isStream = ['start', 'part', 'end', 'torn'].includes(what);
    this.entries.push({ position, draft: one, stream: isStream ? subject : undefined });
    if (what === 'close') {
      this.#isClosed = true;
      for (const stream of this.streams.values()) if (stream.state === 'open') stream.state = 'torn';
    }
    return { kind: 'stored', position };
  }

  compact(id: string): void {
    const stream = this.streams.get(id);
    if (stream?.state !== 'whole' || stream.last < this.first) return;
    for (const entry of this.entries)
      if (entry.stream === id && entry.position < stream.last) this.deleted.add(entry.position);
  }

  kept(): number[] {
    return this.entries
      .map(({ position }) => position)
      .filter((position) => position >= this.first && !this.deleted.has(position));
  }

  trim(): void {
    for (;;) {
      const kept = this.kept();
      const units = new Set(kept.map((position) => this.entries[position - 1]?.stream ?? position));
      if (units.size <= this.#windowSize) return;
      let to = kept[0] ?? 0;
      for (const position of kept) {
        const stream = this.streams.get(this.entries[position - 1]?.stream ?? '');
        if (position > to) break;
        if (stream?.state === 'open') return;
        if (stream?.state === 'torn') to = Math.max(to, stream.last);
      }
      this.first = to + 1;
    }
  }

  #isAllowed(what: What, id: string, user: string | null, position: number): boolean {
    const stream = this.streams.get(id);
    const call = this.#calls.get(id);
    if (what === 'message' || what === 'close') return true;
    if (what === 'start' && stream === undefined) {
      this.streams.set(id, { state: 'open', owner: user, start: position, last: position });
      return true;
    }
    if (what === 'call' && call === undefined) this.#calls.set(id, 'open');
    if (what === 'call') return call === undefined;
    if (what === 'done' && call === 'open') this.#calls.set(id, 'ended');
    if (what === 'done') return call === 'open';
    if (what === 'start' || stream?.state !== 'open' || stream.owner !== user) return false;
    stream.last = position;
    if (what === 'end') stream.state = 'whole';
    if (what === 'torn') stream.state = 'torn';
    return true;
  }
}

function draftOf({ what, user, subject }: Written, model: Model, position: number): Draft {
  const id = `m${subject}`;
  const start = model.streams.get(id)?.start ?? 1;
  if (what === 'start') return messageStart(id, { user });
  if (what === 'part') return messagePart(id, `part ${position}`, { user });
  if (what === 'end') return messageEnd(id, start, 'the whole text', { user });
  if (what === 'torn') return messageEnd(id, start, undefined, { user });
  if (what === 'call') return draft({ user, type: 'TOOL_CALL', payload: { call_id: id, tool: 'x' } });
  if (what === 'done') return draft({ user, type: 'TOOL_DONE', payload: { call_id: id } });
  if (what === 'close') return draft({ user, type: 'TRANSACTION_END', payload: {} });
  return draft({ user, payload: `message ${position}` });
}

async function compare(history: HistoryStore, windowSize: number, actions: readonly Action[]): Promise<void> {
  const log = await Log.create(history);
  const model = new Model(windowSize);
  for (const start of await log.all()) {
    model.append({ ...start, digest: bodyDigest(start.type, start.payload) }, 'message', '');
  }
  for (const step of actions) {
    if (step.do === 'append') await compareAppend(log, model, step.drafts);
    if (step.do === 'compact') {
      const id = `m${step.subject}`;
      const stream = model.streams.get(id);
      await log.compact({ messageId: id, start: stream?.start ?? 1, end: stream?.last ?? 1 });
      model.compact(id);
    }
    if (step.do === 'read') {
      const page = await log.read(step);
      const { from, to = Number.POSITIVE_INFINITY, maxEntries } = step;
      const expected = model.kept().filter((position) => position >= from && position <= to);
      expect(page.entries.map(({ position }) => position)).toEqual(expected.slice(0, maxEntries));
    }
    expect(await log.head()).toMatchObject({ first: model.first, last: model.entries.length });
  }
  const all = await log.all();
  expect(all.map(({ position }) => position)).toEqual(model.kept());
  for (const { position, id, user, payload, type } of all) {
    const { draft: wanted } = model.entries[position - 1] ?? {};
    expect({ id, user, type, payload }).toEqual({
      id: wanted?.id,
      user: wanted?.user,
      type: wanted?.type,
      payload: wanted?.payload,
    });
  }
}

async function compareAppend(log: Log, model: Model, specs: readonly Written[]): Promise<void> {
  const drafts: Draft[] = [];
  const expected: Outcome[] = [];
  for (const spec of specs) {
    const fresh = draftOf(spec, model, model.entries.length + 1);
    const earlier = spec.again === undefined ? undefined : model.entries[spec.again]?.draft;
    const isReused = earlier !== undefined && earlier.user !== null && earlier.user === spec.user;
    const one: Draft = isReused ? { ...fresh, id: earlier.id } : fresh;
    drafts.push(one);
    expected.push(model.append(one, spec.what, `m${spec.subject}`));
  }
  expect(await log.append(drafts)).toEqual(expected);
  if (specs.length > 0) model.trim();
}

export const modelLaws: readonly HistoryLaw[] = [
  {
    name: 'random work on a log gives what a plain array gives',
    async run({ store }) {
      const work = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.array(action, { maxLength: 60, size: 'max' }));
      // Logs know nothing of each other, so one store for each size does.
      const ofSize = new Map<number, HistoryStore>();
      const property = fc.asyncProperty(work, async ([windowSize, actions]) => {
        const history = ofSize.get(windowSize) ?? (await store({ windowSize }));
        ofSize.set(windowSize, history);
        await compare(history, windowSize, actions);
      });
      await fc.assert(property, { numRuns: 100 });
    },
  },
];
