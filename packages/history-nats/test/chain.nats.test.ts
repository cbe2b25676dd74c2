// Chains by themselves: several nodes that add to one, are cut off in the middle, forget and read again; and no message
// that nobody knows of.
import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chain, type ChainHost } from '../src/chain.ts';
import { Exchange } from '../src/exchange.ts';
import type { Fold, FoldKind, Taken } from '../src/fold.ts';
import { type Appended, type AppendOptions, Stream } from '../src/stream.ts';
import { LooseExchange } from './loose-exchange.ts';
import { servers } from './streams.ts';

/** A list of texts of which the newest so many are kept, each in the link that brought it. */
interface Change {
  readonly text: string;
  readonly keep: number;
}

class List implements Fold<Change> {
  readonly texts: string[] = [];
  #kept: number[] = [];

  get weight(): number {
    return this.#kept.length;
  }

  take({ text, keep }: Change, { seq }: { readonly seq: number }): Taken {
    this.texts.push(text.slice(0, 10));
    this.#kept.push(seq);
    const released = this.#kept.slice(0, -keep);
    this.#kept = this.#kept.slice(-keep);
    return { holds: true, released };
  }

  save(): Uint8Array {
    return Buffer.from(JSON.stringify([this.texts, this.#kept]));
  }

  static readonly kind: FoldKind<Change, List> = {
    empty: () => new List(),
    restore(saved) {
      const list = new List();
      const [texts, kept] = JSON.parse(Buffer.from(saved).toString()) as [string[], number[]];
      list.texts.push(...texts);
      list.#kept = kept;
      return list;
    },
    read: (content) => JSON.parse(Buffer.from(content).toString()) as Change,
  };
}

const name = `test-${randomBytes(6).toString('hex')}`;
let nc: NatsConnection;
let strict: Exchange;
let loose: LooseExchange;
let names = 0;
let now = 1_000_000;

beforeAll(async () => {
  nc = await connect({ servers });
  strict = new Exchange(nc, 5000, { nobody() {}, late() {} });
  loose = new LooseExchange(nc, 5000, { nobody() {}, late() {} });
  await (await jetstreamManager(nc)).streams.add({ name, subjects: [`${name}.*`], allow_direct: true });
});
afterAll(async () => {
  await (await jetstreamManager(nc)).streams.delete(name);
  await nc.close();
});

class CutOff extends Error {}

/** A stream whose every so many-th append fails: before it was stored, or after. */
class FailingStream extends Stream {
  failEvery = Number.POSITIVE_INFINITY;
  #appends = 0;

  override async append(subject: string, data: Uint8Array, options: AppendOptions): Promise<Appended | undefined> {
    const fails = ++this.#appends % this.failEvery === 0;
    const isBefore = this.#appends % 2 === 0;
    if (fails && isBefore) throw new CutOff('before it was stored');
    const appended = await super.append(subject, data, options);
    if (fails) throw new CutOff('after it was stored');
    return appended;
  }

  override async remove(seqs: readonly number[]): Promise<void> {
    if (++this.#appends % this.failEvery === 0) throw new CutOff('before it was removed');
    await super.remove(seqs);
  }
}

function node(
  subject: string,
  isReplicated: boolean,
): { chain: Chain<Change, List>; stream: FailingStream; settled(): Promise<void> } {
  const exchange = isReplicated ? loose : strict;
  const stream = new FailingStream({ name, node: `node-${names++}`, exchange, isReplicated });
  const underway: Promise<unknown>[] = [];
  const host: ChainHost = {
    sizes: { inlineBytes: 200, partBytes: 150, trail: 3, snapshotEvery: 4, garbageBytes: 1000 },
    timeoutMs: 20_000,
    nextName: () => `link-${names++}`,
    now: () => now,
    contested() {},
    lost: () => Promise.reject(new Error('nothing is lost here')),
    background: (work) => void underway.push(work.catch(() => {})),
  };
  const chain = new Chain(host, stream, `${name}.${subject}`, List.kind);
  return { chain, stream, settled: async () => void (await Promise.all(underway)) };
}

async function messagesOf(subject: string): Promise<number> {
  const info = await (await jetstreamManager(nc)).streams.info(name, { subjects_filter: `${name}.${subject}` });
  return info.state.subjects?.[`${name}.${subject}`] ?? 0;
}

const add = (chain: Chain<Change, List>, text: string, length: number, keep: number): Promise<void> => {
  const change = { text: text.padEnd(10) + 'x'.repeat(length), keep };
  return chain.commit((list) => {
    // As a store does: what is there already is not added again.
    const isThere = list.texts.includes(change.text.slice(0, 10));
    return {
      answer: undefined,
      addition: isThere ? undefined : { change, content: Buffer.from(JSON.stringify(change)) },
    };
  });
};

async function untilNotCutOff(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }
}

interface Step {
  readonly length: number;
  readonly keep: number;
  readonly forgets: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  length: fc.oneof({ weight: 3, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(1500) }),
  keep: fc.integer({ min: 1, max: 6 }),
  forgets: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

test.each([
  ['on one server', false],
  ['on a cluster, which may store several that come together', true],
])(
  'nodes that are cut off and forget add each text once, in their order, agree on all of it, and leave no message behind, %s',
  async (_where, isReplicated) => {
    let runs = 0;
    const property = fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 25 }), { minLength: 2, maxLength: 3 }),
      fc.integer({ min: 3, max: 9 }),
      async (scripts, failEvery) => {
        const subject = `run-${isReplicated}-${runs++}`;
        const nodes = scripts.map(() => node(subject, isReplicated));
        await Promise.all(
          scripts.map(async (steps, i) => {
            const { chain, stream } = nodes[i] as (typeof nodes)[number];
            stream.failEvery = failEvery + i;
            for (const [at, { length, keep, forgets }] of steps.entries()) {
              if (forgets) chain.reset();
              await untilNotCutOff(() => add(chain, `${i} ${at}`, length, keep));
            }
          }),
        );
        for (const { settled, stream } of nodes) {
          await settled();
          stream.failEvery = Number.POSITIVE_INFINITY;
        }
        // A node that was never there folds the same.
        const late = node(subject, isReplicated);
        for (const { chain } of [...nodes, late]) await chain.fresh();
        for (const { chain } of nodes) expect(chain.fold.texts).toEqual(late.chain.fold.texts);
        for (const [i, steps] of scripts.entries()) {
          const own = late.chain.fold.texts.filter((text) => text.startsWith(`${i} `)).map((text) => text.trim());
          expect(own).toEqual(steps.map((_, at) => `${i} ${at}`));
        }
        // What is needed is there: what the newest links brought can be read.
        now += 3_600_000;
        await add(late.chain, 'last', 10, 2);
        await late.settled();
        await late.chain.tidy();
        await add(late.chain, 'very last', 10, 2);
        await late.settled();
        // The two that are kept, a snapshot in parts, and the links since.
        expect(await messagesOf(subject)).toBeLessThanOrEqual(2 + 1 + 30 + 6);
        await late.chain.remove();
        expect(await messagesOf(subject)).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  },
);
