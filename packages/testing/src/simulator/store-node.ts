// The store as the nodes reach it: the same one for all, with what a network and a database do in between. Answers at
// once or late; fails before or after it was done; tells the checker what was really stored. Keeps nothing itself.

import type {
  CreatedTransaction,
  Draft,
  Head,
  HistoryPage,
  HistoryRange,
  HistoryStore,
  TransactionRecord,
} from '@haip/protocol';
import type { Chance } from './chance.ts';
import type { Trace } from './trace.ts';
import { Words, type WordWeather } from './words.ts';
import type { Host, World } from './world.ts';

/** What is told of everything the store did. */
export interface StoreWitness {
  created(answer: CreatedTransaction, first: Draft, fresh: boolean): void;
  appended(transaction: string, drafts: readonly Draft[], fence: number | undefined): void;
  read(transaction: string, range: HistoryRange, page: HistoryPage | null): void;
  leased(transaction: string, holder: string, fence: number): void;
  headed(transaction: string, head: Head | null): void;
  /** The store lost a log; in another epoch it has `kept` of it, or without an epoch nothing. */
  lost(transaction: string, epoch: string | undefined, kept: readonly Draft[]): void;
}

/** What chance may do to a call, each a probability. */
export interface StoreWeather extends WordWeather {
  late: number;
  /** Longest wait for an answer. */
  lateMs: number;
  failBefore: number;
  failAfter: number;
}

/** One log as it could be written again. */
export interface KeptLog {
  readonly record: TransactionRecord;
  readonly drafts: readonly Draft[];
}

/** Who is told of what others did. */
interface Watcher {
  readonly host: Host;
  readonly changed: (transaction: string) => void;
  readonly revoked: ((user: string) => void) | undefined;
}

export const calmWeather: StoreWeather = {
  late: 0,
  lateMs: 0,
  failBefore: 0,
  failAfter: 0,
  wordsLost: 0,
  wordsLateMs: 40,
};

type Call<T> = () => T | Promise<T>;

export class StoreNode {
  weather: StoreWeather = calmWeather;
  /** How many calls failed. */
  failures = 0;
  /** What the nodes tell each other. */
  readonly words: Words;
  readonly #world: World;
  readonly #host: Host;
  readonly #chance: Chance;
  readonly #trace: Trace;
  readonly #witness: StoreWitness;
  /** Several nodes use it: they look by themselves now and then, so that a hint may be lost. */
  readonly #isShared: boolean;
  readonly #watchers = new Set<Watcher>();
  #inner: HistoryStore;

  constructor(
    world: World,
    host: Host,
    inner: HistoryStore,
    isShared: boolean,
    chance: Chance,
    words: Chance,
    trace: Trace,
    witness: StoreWitness,
  ) {
    this.#isShared = isShared;
    this.#world = world;
    this.#host = host;
    this.#inner = inner;
    this.#chance = chance;
    this.#trace = trace;
    this.#witness = witness;
    this.words = new Words(words, () => this.weather);
  }

  /** The store itself, for whoever checks. */
  get inner(): HistoryStore {
    return this.#inner;
  }

  /** Puts an empty store in the place of what was there and writes into it what it is to have kept. */
  async lose(fresh: HistoryStore, kept: readonly KeptLog[], gone: readonly string[]): Promise<void> {
    this.#inner = fresh;
    for (const transaction of gone) this.#witness.lost(transaction, undefined, []);
    for (const { record, drafts } of kept) {
      const [first, ...rest] = drafts.map((draft) => ({ ...draft, outcome: undefined }));
      if (first === undefined) continue;
      const { epoch } = await fresh.create(record, first);
      await fresh.append(record.transaction, rest);
      this.#witness.lost(record.transaction, epoch, drafts);
    }
    for (const transaction of [...gone, ...kept.map(({ record }) => record.transaction)]) {
      this.#toOthers(undefined, ({ changed }) => changed(transaction));
    }
  }

  /** The store as one node has it. */
  view(host: Host): HistoryStore {
    const ask = <T>(name: string, call: Call<T>): T | Promise<T> => this.ask(host, name, call);
    const witness = this.#witness;
    return {
      supports: { ...this.#inner.supports, shared: this.#isShared },
      create: (record, first) =>
        ask('create', () =>
          seen(this.#inner.create(record, first), (answer) => {
            witness.created(answer, first, answer.created);
            return answer;
          }),
        ),
      get: (transaction) => ask('get', () => this.#inner.get(transaction)),
      list: (user, after) => ask('list', () => this.#inner.list(user, after)),
      append: (transaction, drafts, fence) => this.#append(host, transaction, drafts, fence),
      find: (transaction, user, id) => ask('find', () => this.#inner.find(transaction, user, id)),
      read: (transaction, range) =>
        ask('read', () =>
          seen(this.#inner.read(transaction, range), (page) => {
            witness.read(transaction, range, page);
            return page;
          }),
        ),
      head: (transaction) =>
        ask('head', () =>
          seen(this.#inner.head(transaction), (head) => {
            witness.headed(transaction, head);
            return head;
          }),
        ),
      heads: (transactions, since) => ask('heads', () => this.#inner.heads(transactions, since)),
      revoke: (user) =>
        ask('revoke', () =>
          seen(this.#inner.revoke(user), () => this.#toOthers(host, ({ revoked }) => revoked?.(user))),
        ),
      compact: (transaction, message) => ask('compact', () => this.#inner.compact(transaction, message)),
      lease: (transaction, holder, ttlMs) =>
        ask('lease', () =>
          seen(this.#inner.lease(transaction, holder, ttlMs), (lease) => {
            if (lease) witness.leased(transaction, holder, lease.fence);
            return lease;
          }),
        ),
      saveLease: (transaction, fence, record) =>
        ask('saveLease', () => this.#inner.saveLease(transaction, fence, record)),
      watch: (changed, revoked) => {
        const watcher = { host, changed, revoked };
        this.#watchers.add(watcher);
        return () => void this.#watchers.delete(watcher);
      },
      ...this.words.view(host),
      close: () => undefined,
    };
  }

  #append(host: Host, transaction: string, drafts: readonly Draft[], fence: number | undefined): void | Promise<void> {
    const pending = this.ask<void>(host, 'append', () =>
      seen(this.#inner.append(transaction, drafts, fence), () => {
        this.#witness.appended(transaction, drafts, fence);
        this.#toOthers(host, ({ changed }) => changed(transaction));
      }),
    );
    if (!(pending instanceof Promise)) return pending;
    return pending.catch((error: unknown) => {
      // A caller whose append failed must not find outcomes in its drafts.
      for (const draft of drafts) draft.outcome = undefined;
      throw error;
    });
  }

  /** Others learn what one node did: a while later, sometimes twice, or not at all. */
  #toOthers(from: Host | undefined, tell: (watcher: Watcher) => void): void {
    for (const watcher of this.#watchers) {
      const { host } = watcher;
      if (host === from) continue;
      const isLost = this.#isShared && this.#chance.happens(0.1);
      for (let times = isLost ? 0 : this.#chance.pick([1, 1, 1, 2]); times > 0; times--) {
        host.after(this.#chance.between(0, 40), () => tell(watcher));
      }
    }
  }

  /** Asks as one node does: it may be answered late, or not although it was done. */
  ask<T>(host: Host, name: string, call: Call<T>): T | Promise<T> {
    const { late, lateMs, failBefore, failAfter } = this.weather;
    const chance = this.#chance;
    if (late === 0 && failBefore === 0 && failAfter === 0) return call();
    const isLost = chance.happens(failBefore);
    const isFailing = isLost || chance.happens(failAfter);
    if (isFailing) this.failures++;
    if (!isFailing && !chance.happens(late)) return call();
    this.#trace.note(host.name, isFailing ? (isLost ? 'store lost' : 'store failed after') : 'store late', name);
    return this.#answerLate(host, name, call, isLost, isFailing, chance.between(0, lateMs));
  }

  #answerLate<T>(
    host: Host,
    name: string,
    call: Call<T>,
    isLost: boolean,
    isFailing: boolean,
    delayMs: number,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let answer: T | Promise<T>;
    const commit = (): void => {
      // The request of a machine that died may have been on its way, or not.
      if (host.alive || this.#chance.happens(0.5)) answer = call();
    };
    if (!isLost) {
      if (this.#chance.happens(0.5)) commit();
      else this.#host.after(delayMs / 2, commit);
    }
    host.after(delayMs, () => {
      if (isFailing) reject(new Error(`${name}: the store did not answer, at ${this.#world.now}`));
      else resolve(answer);
    });
    return promise;
  }
}

/** Looks at an answer when it is there. */
export function seen<T, R>(answer: T | Promise<T>, look: (answer: T) => R): R | Promise<R> {
  return answer instanceof Promise ? answer.then(look) : look(answer);
}
