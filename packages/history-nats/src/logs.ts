// The logs of transactions: works in, pages and heads out. Spec: §3, §4.

import type { Answer, Place, WindowLimits } from '@haip/history-engine';
import type { Entry, HistoryPage, HistoryRange } from '@haip/protocol';
import { Chain, type ChainHost } from './chain.ts';
import { Chains } from './chains.ts';
import { EntryCache } from './entry-cache.ts';
import { decodeLink } from './link.ts';
import type { LogChange, LogHeading } from './log-change.ts';
import { LogFold } from './log-fold.ts';
import { type LogWork, planTidying, planWorks } from './log-plan.ts';
import type { Names } from './names.ts';
import type { Stream } from './stream.ts';
import type { Placed } from './window.ts';

export type LogChain = Chain<LogChange, LogFold>;

export interface LogsOptions {
  readonly host: ChainHost;
  readonly stream: Stream;
  readonly names: Names;
  readonly limits: WindowLimits;
  readonly cacheBytes: number;
}

const MOST_TRIES = 16;

export class Logs {
  readonly #host: ChainHost;
  readonly #stream: Stream;
  readonly #names: Names;
  readonly #limits: WindowLimits;
  readonly #entries: EntryCache;
  readonly #chains: Chains<LogChange, LogFold>;

  constructor({ host, stream, names, limits, cacheBytes }: LogsOptions) {
    this.#host = host;
    this.#stream = stream;
    this.#names = names;
    this.#limits = limits;
    this.#entries = new EntryCache(cacheBytes / 2);
    const kind = LogFold.kind((link, entries) => this.#entries.add(link, entries));
    this.#chains = new Chains(cacheBytes / 2, (id) => new Chain(host, stream, names.log(id), kind));
  }

  /** The log as it is known here. */
  chain(transaction: string): LogChain {
    return this.#chains.get(transaction);
  }

  /** The log as it is at some moment after the call; undefined for a transaction not known. */
  async fresh(transaction: string): Promise<LogFold | undefined> {
    const chain = this.#chains.get(transaction);
    await chain.fresh();
    return this.#known(transaction, chain);
  }

  async find(transaction: string, user: string, id: string): Promise<Place | null> {
    const chain = this.#chains.get(transaction);
    // What is known of an id does not change.
    const known = chain.fold.find(user, id);
    const place = known ?? (await this.fresh(transaction))?.find(user, id);
    return place === undefined ? null : { position: place.position, digest: place.digest };
  }

  /** Writes works on one log, in one step. */
  async write(transaction: string, works: readonly LogWork[]): Promise<readonly Answer[]> {
    const chain = this.#chains.get(transaction);
    const answers = await chain.commit((fold, at) => planWorks(fold, works, this.#limits, at));
    this.#known(transaction, chain);
    return answers;
  }

  /** The first and the last position that can be read. */
  headOf(fold: LogFold): { first: number; last: number } {
    const { log, window } = fold;
    const plan = window.trimOf(log, this.#limits, Math.max(this.#host.now(), log.lastAt));
    if (plan === undefined) return { first: log.first, last: log.last };
    // Nothing goes before it is looked at again: it need not be looked for each time.
    if (plan.first === log.first) log.frontAt = plan.frontAt;
    return { first: plan.first, last: log.last };
  }

  async read(transaction: string, range: HistoryRange): Promise<Omit<HistoryPage, 'epoch'> | undefined> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const fold = await this.fresh(transaction);
      if (fold === undefined) return undefined;
      const head = this.headOf(fold);
      const entries = await this.#entriesAt(transaction, slotsIn(fold, head, range));
      if (entries !== undefined) return { ...head, entries };
      // Trimmed or compacted, and removed, since: there is a newer moment.
    }
    throw new Error(`history: ${transaction} changed too fast to be read`);
  }

  /** Removes what ran out of its time. */
  async tidy(transaction: string): Promise<void> {
    const chain = this.#chains.get(transaction);
    const isTrimmed = await chain.commit((fold, at) => planTidying(fold, this.#limits, at));
    if (isTrimmed) await chain.tidy();
  }

  /** What the newest link of each log says, read from the server and from nothing else; null for one not there. */
  async headings(transactions: readonly string[]): Promise<(LogHeading | null)[]> {
    const newest = await Promise.all(transactions.map((id) => this.#stream.last(this.#names.log(id))));
    return newest.map((message) => (message === null ? null : (decodeLink(message).head.x as unknown as LogHeading)));
  }

  /** Another node asked for its turn at a log. */
  giveWay(transaction: string): void {
    this.#chains.peek(transaction)?.giveWay();
  }

  /** The transactions whose logs are open here. */
  open(): string[] {
    return this.#chains.ids();
  }

  /** What was known of them holds no more. */
  reset(): void {
    this.#chains.reset();
    this.#entries.clear();
  }

  #known(transaction: string, chain: LogChain): LogFold | undefined {
    if (!chain.exists) this.#chains.drop(transaction);
    const { fold } = chain;
    return fold.beginning === undefined || fold.isOver ? undefined : fold;
  }

  /** Undefined when something was removed meanwhile. */
  async #entriesAt(transaction: string, slots: readonly Placed[]): Promise<Entry[] | undefined> {
    const found = new Map<number, readonly Entry[]>();
    const missing = new Set<number>();
    for (const { link } of slots) {
      if (found.has(link) || missing.has(link)) continue;
      const entries = this.#entries.get(link);
      if (entries === undefined) missing.add(link);
      else found.set(link, entries);
    }
    if (missing.size > 0) {
      const changes = await this.#chains.get(transaction).read([...missing]);
      if (changes === undefined) return undefined;
      for (const [link, change] of changes) {
        const entries = entriesOf(change);
        this.#entries.add(link, entries);
        found.set(link, entries);
      }
    }
    return slots.map(({ position, link }) => {
      const entries = found.get(link) ?? [];
      return entries[position - (entries[0]?.position ?? 0)] as Entry;
    });
  }
}

/** The places that a page takes. */
function slotsIn(fold: LogFold, { first, last }: { first: number; last: number }, range: HistoryRange): Placed[] {
  const { from, to = last, maxEntries = 200, maxBytes = 524_288 } = range;
  const slots = fold.window.between(Math.max(from, first), Math.min(to, last), maxEntries);
  let bytes = 0;
  for (const [i, { size }] of slots.entries()) {
    bytes += size;
    if (bytes >= maxBytes) return slots.slice(0, i + 1);
  }
  return slots;
}

/** The entries that came with a link: they were given the last positions before its end. */
function entriesOf({ ops, heading }: LogChange): Entry[] {
  const drafts = ops.flatMap((op) => (op.op === 'store' ? op.drafts : []));
  const first = heading.last - drafts.length + 1;
  return drafts.map(({ entry, size }, i) => ({ ...entry, position: first + i, size }));
}
