// What this node knows of a chain: folded from its links, in their order and without a hole, beginning with a snapshot.
// Learns the rest when it is asked to; notices when what it has seen is there no more. Adds nothing.

import { setTimeout as pause } from 'node:timers/promises';
import { type ChainSource, type Run, readRun, type Standing } from './chain-walk.ts';
import { NatsUnavailable } from './exchange.ts';
import type { Fold, FoldKind } from './fold.ts';
import { decodeLink, type Link, type LinkHead } from './link.ts';
import { Links } from './links.ts';
import { SharedRun } from './shared-run.ts';
import type { Stream } from './stream.ts';

const MOST_TRIES = 32;
/** For how long a replica that became the leader may be behind, and how often it is asked meanwhile. */
const BEHIND_TRIES = 20;
const BEHIND_MS = 100;

export class ChainView<Change, F extends Fold<Change>> {
  readonly subject: string;
  readonly #stream: Stream;
  readonly #source: ChainSource<Change, F>;
  readonly #lost: (what: 'all' | 'the newest') => Promise<void>;
  #standing: Standing<F>;
  #isOpen = false;
  readonly #reading = new SharedRun(() => this.#catchUp());
  /** What the newest link says of how the fold stands. */
  #heading: LinkHead['x'];
  #soughtName = '';
  #soughtSeq: number | undefined;

  /** @param lost told when links that were seen are there no more. Resolves when the epoch is right again. */
  constructor(
    stream: Stream,
    subject: string,
    kind: FoldKind<Change, F>,
    lost: (what: 'all' | 'the newest') => Promise<void>,
  ) {
    this.subject = subject;
    this.#stream = stream;
    this.#source = { stream, subject, kind };
    this.#lost = lost;
    this.#standing = { fold: kind.empty(), links: new Links() };
  }

  get fold(): F {
    return this.#standing.fold;
  }

  /** Another one after a {@link reset}, or when a snapshot was begun with. */
  get links(): Links {
    return this.#standing.links;
  }

  /** How the fold stands, in short, as its newest link says. */
  get heading(): LinkHead['x'] {
    return this.#heading;
  }

  /** Whether it was read at least once. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isReading(): boolean {
    return this.#reading.isRunning;
  }

  /** Forgets what is known; it is read again. */
  reset(): void {
    this.#standing = { fold: this.#source.kind.empty(), links: new Links() };
    this.#heading = undefined;
    this.#isOpen = false;
  }

  /** Resolves when everything is folded that was in the chain at the moment of the call. */
  fresh(): Promise<void> {
    return this.#reading.run();
  }

  /** From now on looks out for a link of this name. */
  seek(name: string): void {
    this.#soughtName = name;
    this.#soughtSeq = undefined;
  }

  /** The sequence of the link that is sought, once it was met. */
  get found(): number | undefined {
    return this.#soughtSeq;
  }

  /** Takes in the next link, which is this one. */
  take(link: Link, content: Uint8Array, change?: Change): void {
    this.#takeAll(() => this.#take(this.#standing, link, content, change));
  }

  async #catchUp(): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { links } = this;
      const known = links.last;
      const newest = await this.#stream.last(this.subject);
      // What was known was let go of meanwhile.
      if (this.links !== links) continue;
      const isMissing = newest === null ? known > 0 : newest.seq < known;
      if (isMissing) await this.#miss(newest === null ? 'all' : 'the newest', tries);
      else if (newest === null || (await this.#catchUpWith(decodeLink(newest)))) {
        this.#isOpen = true;
        return;
      }
    }
    throw new NatsUnavailable(`${this.subject} changed too fast to be read`);
  }

  /** False when it must be tried again. */
  async #catchUpWith(newest: Link): Promise<boolean> {
    const { links } = this;
    if (newest.seq < links.last) return true;
    if (newest.seq === links.last) {
      links.tip = newest.seq;
      return newest.head.u === links.lastName || this.#forget('the newest');
    }
    const run = await readRun(this.#source, newest, this.#isOpen ? links : undefined);
    if (run === undefined || this.links !== links) return false;
    const isFork = run.start === undefined && run.voids.length > 0 && !(await this.#leadsTo(run, links));
    if (this.links !== links) return false;
    if (isFork) return this.#forget('the newest');
    this.#takeRun(run, newest.seq);
    return true;
  }

  /** Whether a run with void messages in it goes on from what is known. */
  async #leadsTo(run: Run<F>, { last, lastName }: Links): Promise<boolean> {
    // Without replicas nothing is ever stored that does not come after the last.
    if (!this.#stream.isReplicated) return false;
    if (run.links.length > 0 || last === 0) return true;
    // Then the newest link that is known is the newest of all, and was not removed for any good reason.
    const [message] = await this.#stream.get([last]);
    return message ? decodeLink(message).head.u === lastName : false;
  }

  /** What this node has seen is not there. */
  async #miss(what: 'all' | 'the newest', tries: number): Promise<void> {
    if (this.#stream.isReplicated && tries < BEHIND_TRIES) await pause(BEHIND_MS);
    else await this.#forget(what);
  }

  async #forget(what: 'all' | 'the newest'): Promise<false> {
    await this.#lost(what);
    this.reset();
    return false;
  }

  #takeRun({ start, links, voids, parted }: Run<F>, tip: number): void {
    if (tip <= this.links.last) return;
    const standing = start ?? this.#standing;
    this.#takeAll(() => {
      for (const link of links) {
        // This node may have added some of them meanwhile.
        if (link.seq > standing.links.last) this.#take(standing, link, parted.get(link.seq) ?? link.content);
      }
      for (const seq of voids) standing.links.takeVoid(seq);
      standing.links.tip = tip;
      this.#standing = standing;
    });
  }

  #takeAll<T>(take: () => T): T {
    try {
      return take();
    } catch (error) {
      // Half of it is no state to go on from.
      this.reset();
      throw error;
    }
  }

  #take({ fold, links }: Standing<F>, link: Link, content: Uint8Array, change?: Change): void {
    const { k, u, x, y, t } = link.head;
    if (k === undefined) {
      const read = change ?? this.#source.kind.read(content, { heading: x, aside: y });
      const { holds, released } = fold.take(read, { seq: link.seq, at: t });
      links.take(link, holds, released);
    } else links.take(link, false, []);
    this.#heading = x;
    if (u === this.#soughtName) this.#soughtSeq = link.seq;
  }
}
