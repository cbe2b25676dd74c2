// What a node knows of the messages of a chain: where it ends, which lie behind its newest snapshot, which are still
// needed for what is in them, and which nobody needs. Pure bookkeeping: asks nothing, removes nothing itself.

import type { Link } from './link.ts';

/** What a held link takes and is made of. */
interface Held {
  readonly size: number;
  readonly parts: readonly number[];
}

/** As it lies in a snapshot. */
export interface SavedLinks {
  readonly loose: readonly (readonly [seq: number, at: number, size: number])[];
  readonly held: readonly (readonly [seq: number, size: number, parts: readonly number[]])[];
  readonly doomed: readonly number[];
  /** What the link is called after which it was taken. */
  readonly name: string;
}

export class Links {
  /** The newest link: its sequence, its name, and when it was added. 0, `''` and 0 for a chain of none. */
  last = 0;
  lastName = '';
  lastAt = 0;
  /** The newest message of the chain's subject: one that is void may come after the newest link. */
  tip = 0;
  /** The newest snapshot's link, and up to where it tells all. */
  snapshot = 0;
  base = 0;
  /** About how many bytes nobody needs any more since the newest snapshot. */
  garbageBytes = 0;
  #snapshotParts: readonly number[] = [];
  /** The links behind the base. */
  #run: number[] = [];
  /** Parts that no link names yet, and when they came. */
  readonly #loose = new Map<number, { readonly at: number; readonly size: number }>();
  readonly #held = new Map<number, Held>();
  /** What nobody needs but whoever folds the chain from its base. */
  #garbage: number[] = [];
  #doomed: readonly number[] = [];
  readonly #void = new Set<number>();

  /** How many links lie behind the base. */
  get runLength(): number {
    return this.#run.length;
  }

  /** What nobody needs at all: to be removed. */
  get doomed(): readonly number[] {
    return this.#doomed;
  }

  /** The newest links as a head tells them: those behind the base, or behind another one. */
  trail(length: number, base = this.base): number[] {
    const newest = this.#run
      .slice(-length)
      .filter((seq) => seq > base)
      .reverse();
    return newest.map((seq, i) => (i === 0 ? seq : (newest[i - 1] as number) - seq));
  }

  isLoose(seq: number): boolean {
    return this.#loose.has(seq);
  }

  /** Loose parts that came at `before` or earlier: nobody will name them any more. */
  looseBefore(before: number): number[] {
    return [...this.#loose].flatMap(([seq, { at }]) => (at <= before ? [seq] : []));
  }

  /**
   * Takes in a link, the next one.
   *
   * @param holds whether it is needed for what is in it.
   * @param released links that were, and are no more.
   */
  take({ seq, head, size }: Link, holds: boolean, released: readonly number[]): void {
    const { u, t, k, p = [], d = [], w } = head;
    this.last = seq;
    this.tip = seq;
    this.lastName = u;
    this.lastAt = t;
    this.#run.push(seq);
    const parted = p.reduce((sum, part) => sum + (this.#loose.get(part)?.size ?? 0), 0);
    for (const part of p) this.#loose.delete(part);
    if (k === 'part') this.#loose.set(seq, { at: t, size });
    else if (k === 'snap') this.#takeSnapshot(seq, head.b, p);
    else if (holds) this.#held.set(seq, { size: size + parted, parts: p });
    else this.#garbage.push(seq, ...p);
    for (const part of d) if (this.#loose.delete(part)) this.#garbage.push(part);
    for (const one of released) this.#release(one);
    if (w !== undefined && w === this.snapshot) this.#doomed = [];
  }

  /** A message that is no link: another one came first behind the link that it wanted to come after. */
  takeVoid(seq: number): void {
    if (this.#void.has(seq)) return;
    this.#void.add(seq);
    this.#garbage.push(seq);
  }

  /** Every message of the chain. */
  all(): number[] {
    const held = [...this.#held].flatMap(([seq, { parts }]) => [seq, ...parts]);
    const snapshot = this.snapshot === 0 ? [] : [this.snapshot, ...this.#snapshotParts];
    const rest = [...this.#run, ...this.#loose.keys(), ...this.#garbage, ...this.#doomed];
    return [...new Set([...held, ...snapshot, ...rest])].sort((a, b) => a - b);
  }

  /** As of now, for a snapshot that takes the place of the newest one. */
  save(): SavedLinks {
    const snapshot = this.snapshot === 0 ? [] : [this.snapshot, ...this.#snapshotParts];
    return {
      name: this.lastName,
      loose: [...this.#loose].map(([seq, { at, size }]) => [seq, at, size]),
      held: [...this.#held].map(([seq, { size, parts }]) => [seq, size, parts]),
      doomed: [...this.#doomed, ...this.#garbage, ...snapshot],
    };
  }

  /** Where a chain is whose newest snapshot was taken after the link of sequence `base`; the links behind it follow. */
  static restore({ name, loose, held, doomed }: SavedLinks, base: number): Links {
    const links = new Links();
    links.last = base;
    links.tip = base;
    links.lastName = name;
    links.base = base;
    links.#doomed = doomed;
    for (const [seq, at, size] of loose) links.#loose.set(seq, { at, size });
    for (const [seq, size, parts] of held) links.#held.set(seq, { size, parts });
    return links;
  }

  #takeSnapshot(seq: number, base: number, parts: readonly number[]): void {
    if (this.snapshot !== 0) this.#garbage.push(this.snapshot, ...this.#snapshotParts);
    this.snapshot = seq;
    this.#snapshotParts = parts;
    this.base = base;
    this.#run = this.#run.filter((one) => one > base);
    this.#doomed = [...this.#doomed, ...this.#garbage.filter((one) => one <= base)];
    this.#garbage = this.#garbage.filter((one) => one > base);
    for (const one of this.#void) if (one <= base) this.#void.delete(one);
    this.garbageBytes = 0;
  }

  #release(seq: number): void {
    const held = this.#held.get(seq);
    if (held === undefined) return;
    this.#held.delete(seq);
    this.#garbage.push(seq, ...held.parts);
    this.garbageBytes += held.size;
  }
}
