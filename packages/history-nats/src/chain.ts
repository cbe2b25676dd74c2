// A chain of links on one subject, shared by all nodes: each link is added behind the one its author knew as the last, or
// not at all, so whatever decided it was true when it was added. Knows nothing of what is in them. The decision:
// docs/decisions/0012.

import { setTimeout as pause } from 'node:timers/promises';
import { ChainView } from './chain-view.ts';
import { contentOf } from './chain-walk.ts';
import { NatsUnavailable } from './exchange.ts';
import type { Addition, Fold, FoldKind, Plan } from './fold.ts';
import { decodeLink, encodeLink, joinTexts, type LinkHead } from './link.ts';
import type { Stream } from './stream.ts';

/** Sizes that a test makes small. */
export interface ChainSizes {
  /** A content of more bytes goes ahead of its link, in parts of so many. */
  readonly inlineBytes: number;
  readonly partBytes: number;
  /** How many links before it each one tells. */
  readonly trail: number;
  /** Behind how many links the next snapshot is taken at the earliest, and after so many superfluous bytes at the latest. */
  readonly snapshotEvery: number;
  readonly garbageBytes: number;
}

/** What all chains of a store have in common. */
export interface ChainHost {
  readonly sizes: ChainSizes;
  readonly timeoutMs: number;
  /** A name that no link has had. */
  nextName(): string;
  /** ms of the store's time. */
  now(): number;
  /** Others were faster again and again: asks them for a turn. */
  contested(subject: string): void;
  /** Messages that this node has seen are there no more. Resolves when the epoch is right again. */
  lost(what: 'all' | 'the newest'): Promise<void>;
  /** Work that nobody waits for but the store's close. */
  background(work: Promise<unknown>): void;
}

interface LinkToAdd<Change> {
  /** When, in ms of the store's time. */
  readonly at: number;
  readonly head: Partial<LinkHead>;
  readonly content: Uint8Array;
  readonly change?: Change | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const EMPTY = new Uint8Array();
/** For how long another node that asked for its turn is let go first. */
const GIVE_WAY_MS = 10;
/** After how long a part that no link named never will be. */
const LOOSE_MS = 600_000;
/** A snapshot is taken behind a quarter as many links as there are things in it, but not later than this. */
const LONGEST_RUN = 16_384;
const MOST_TRIES = 16;

export class Chain<Change, F extends Fold<Change>> {
  readonly #host: ChainHost;
  readonly #stream: Stream;
  readonly #kind: FoldKind<Change, F>;
  readonly #view: ChainView<Change, F>;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #giveWayUntil = 0;
  /** Parts that are there already for what is being added. */
  #parked: { readonly content: Uint8Array; readonly seqs: number[] } | undefined;
  #unused: number[] = [];

  constructor(host: ChainHost, stream: Stream, subject: string, kind: FoldKind<Change, F>) {
    this.#host = host;
    this.#stream = stream;
    this.#kind = kind;
    this.#view = new ChainView(stream, subject, kind, (what) => host.lost(what));
  }

  get fold(): F {
    return this.#view.fold;
  }

  /** When the newest link was added. */
  get lastAt(): number {
    return this.#view.links.lastAt;
  }

  /** Whether it has links, as far as this node knows. */
  get exists(): boolean {
    return this.#view.links.last > 0;
  }

  get isIdle(): boolean {
    return this.#waiting === 0 && !this.#view.isReading;
  }

  /** Forgets what is known; it is read again. */
  reset(): void {
    this.#view.reset();
  }

  /** Resolves when everything is folded that was in the chain at the moment of the call. */
  fresh(): Promise<void> {
    return this.#view.fresh();
  }

  /**
   * Adds what `plan` makes of what is known, and gives its answer. Planned anew whenever others were faster. One at a
   * time.
   */
  commit<Answer>(plan: (fold: F, at: number) => Plan<Change, Answer>): Promise<Answer> {
    return this.#inTurn(async () => {
      const answer = await this.#commit(plan);
      if (this.#isSnapshotDue()) this.#host.background(this.tidy());
      return answer;
    });
  }

  /** Another node asked for its turn. */
  giveWay(): void {
    this.#giveWayUntil = performance.now() + GIVE_WAY_MS;
  }

  /** What earlier links tell; undefined when one was removed. */
  async read(seqs: readonly number[]): Promise<ReadonlyMap<number, Change> | undefined> {
    const changes = new Map<number, Change>();
    for (const message of await this.#stream.get(seqs)) {
      const link = message && decodeLink(message);
      const content = link && (await contentOf(this.#stream, link));
      if (!content) return undefined;
      changes.set(link.seq, this.#kind.read(content, { heading: link.head.x, aside: link.head.y }));
    }
    return changes;
  }

  /** Takes a snapshot and removes the links that nobody needs. */
  async tidy(): Promise<void> {
    const snapshot = await this.#inTurn(() => this.#snapshot());
    if (snapshot === undefined) return;
    const { links } = this.#view;
    await this.#stream.remove(links.doomed);
    // It also makes the newest link a small one: that is what is asked for again and again.
    await this.#inTurn(async () => {
      // What was read anew meanwhile may hold others that are to be removed.
      const isSame = this.#view.links === links && links.snapshot === snapshot;
      if (isSame) await this.#append({ at: this.#now(), head: { k: 'note', w: snapshot }, content: EMPTY });
    });
  }

  /** Removes every message of it; the newest last, so that until then nothing can be added behind another. */
  async remove(): Promise<void> {
    const { tip } = this.#view.links;
    await this.#stream.remove(this.#view.links.all().filter((seq) => seq !== tip));
    await this.#stream.remove([tip]);
    this.reset();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const done = this.#turn.then(work).finally(() => {
      this.#waiting--;
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  async #commit<Answer>(plan: (fold: F, at: number) => Plan<Change, Answer>): Promise<Answer> {
    const until = performance.now() + this.#host.timeoutMs;
    let isFresh = !this.#view.isOpen;
    if (isFresh) await this.fresh();
    await this.#letOthersGo();
    for (let lost = 0; ; ) {
      const at = this.#now();
      const { answer, addition, isSure = false } = plan(this.fold, at);
      if (addition !== undefined) {
        if (await this.#add(addition, at)) return answer;
        if (++lost > 1) this.#host.contested(this.#view.subject);
      } else if (isSure || isFresh) return answer;
      else await this.fresh();
      isFresh = true;
      if (performance.now() > until) throw new NatsUnavailable('other nodes were faster for too long');
    }
  }

  #now(): number {
    return Math.max(this.#host.now(), this.lastAt);
  }

  async #letOthersGo(): Promise<void> {
    const left = this.#giveWayUntil - performance.now();
    if (left > 0) await pause(left);
  }

  async #add({ change, content, heading, aside, headers }: Addition<Change>, at: number): Promise<boolean> {
    const head = { x: heading, y: aside };
    if (content.length <= this.#host.sizes.inlineBytes) {
      return (await this.#append({ at, head, content, change, headers })) !== undefined;
    }
    const parts = await this.#park(content, at);
    if (parts === undefined) return false;
    const seq = await this.#append({ at, head: { ...head, p: parts }, content: EMPTY, change, headers });
    if (seq === undefined) return false;
    this.#parked = undefined;
    return true;
  }

  /** Adds the parts of a content; undefined when others were faster. What is there already is not added again. */
  async #park(content: Uint8Array, at: number): Promise<readonly number[] | undefined> {
    const { partBytes } = this.#host.sizes;
    const parked = this.#parked;
    if (parked !== undefined) {
      const isThere = parked.seqs.every((seq) => this.#view.links.isLoose(seq));
      if (!isThere || Buffer.compare(parked.content, content) !== 0) {
        this.#unused.push(...parked.seqs);
        this.#parked = undefined;
      }
    }
    this.#parked ??= { content, seqs: [] };
    const { seqs } = this.#parked;
    for (let from = seqs.length * partBytes; from < content.length; from += partBytes) {
      const piece = content.subarray(from, from + partBytes);
      const seq = await this.#append({ at, head: { k: 'part' }, content: piece });
      if (seq === undefined) return undefined;
      seqs.push(seq);
    }
    return seqs;
  }

  /** Adds a link behind the last one that is known. Undefined when that is not the last: then it is known better. */
  async #append({ at, head: more, content, change, headers }: LinkToAdd<Change>): Promise<number | undefined> {
    const { links } = this.#view;
    const [last, after, name] = [links.last, links.tip, this.#host.nextName()];
    const unused = [...this.#unused, ...links.looseBefore(at - LOOSE_MS)].filter((seq) => links.isLoose(seq));
    const head: LinkHead = {
      u: name,
      v: links.lastName,
      t: at,
      c: links.trail(this.#host.sizes.trail, more.b),
      s: links.snapshot,
      b: links.base,
      d: unused.length > 0 ? unused : undefined,
      x: this.#view.heading,
      ...more,
    };
    const data = encodeLink(head, content);
    this.#view.seek(name);
    const appended = await this.#stream.append(this.#view.subject, data, { after, id: name, headers });
    if (appended?.isNext !== true) {
      await this.fresh();
      // It may be a link all the same: its answer got lost, or what came between is void.
      return this.#view.found;
    }
    const { seq } = appended;
    this.#unused = [];
    const isNext = this.#view.links === links && links.last === last;
    if (isNext) this.#view.take({ seq, head, content, size: data.length }, content, change);
    return seq;
  }

  #isSnapshotDue(): boolean {
    const { snapshotEvery, garbageBytes } = this.#host.sizes;
    const { runLength, garbageBytes: garbage } = this.#view.links;
    const run = Math.min(Math.max(this.fold.weight / 4, snapshotEvery), LONGEST_RUN);
    return runLength >= run || (garbage >= garbageBytes && runLength >= 4);
  }

  /** Gives the snapshot's link; undefined when there is nothing to take one of, or another node took one. */
  async #snapshot(): Promise<number | undefined> {
    const { fold, links, isOpen } = this.#view;
    const { last: base, snapshot } = links;
    if (!isOpen || links.runLength < 2 || fold.isOver) return undefined;
    const at = this.#now();
    const content = joinTexts(JSON.stringify(links.save()), fold.save());
    const isParted = content.length > this.#host.sizes.partBytes;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const parts = isParted ? await this.#park(content, at) : undefined;
      if (!isParted || parts !== undefined) {
        const head = { k: 'snap', p: parts, b: base } as const;
        const seq = await this.#append({ at, head, content: isParted ? EMPTY : content });
        if (seq !== undefined) {
          this.#parked = undefined;
          return seq;
        }
      }
      if (this.#view.links !== links || links.snapshot !== snapshot || fold.isOver) break;
    }
    return undefined;
  }
}
