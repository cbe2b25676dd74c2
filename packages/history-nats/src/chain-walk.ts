// Finds the links of a chain that somebody does not know yet, from the newest one backwards: each says which come before
// it. A handful of questions however many they are, and no consumer on the server. Reads only.

import type { Fold, FoldKind } from './fold.ts';
import { decodeLink, type Link, type LinkHead, splitText } from './link.ts';
import { Links, type SavedLinks } from './links.ts';
import type { Stream } from './stream.ts';

/** A chain up to some link. */
export interface Standing<F> {
  readonly fold: F;
  readonly links: Links;
}

/** What is to be taken in, in order. */
export interface Run<F> {
  /** Take the place of what was known before; absent: what was known goes on. */
  readonly start: Standing<F> | undefined;
  readonly links: readonly Link[];
  /** Messages that are no links: they name another one before them than there is. */
  readonly voids: readonly number[];
  /** Contents that are in parts, by their link's sequence. */
  readonly parted: ReadonlyMap<number, Uint8Array>;
}

/** Where a chain is read, and what is in it. */
export interface ChainSource<Change, F extends Fold<Change>> {
  readonly stream: Stream;
  readonly subject: string;
  readonly kind: FoldKind<Change, F>;
}

/**
 * What lies between what is known and `newest`. Undefined when some of it was removed meanwhile: then there is a newer
 * snapshot, and a newer link.
 *
 * @param known what is known; undefined when nothing is.
 */
export async function readRun<Change, F extends Fold<Change>>(
  source: ChainSource<Change, F>,
  newest: Link,
  known: Links | undefined,
): Promise<Run<F> | undefined> {
  const { stream } = source;
  const goesOn = known !== undefined && known.last >= newest.head.b;
  const start = goesOn ? undefined : await restore(source, newest);
  const begins = goesOn ? known : start?.links;
  // A void message may name a snapshot that has been replaced: then all there is tells.
  if (begins === undefined && !stream.isReplicated) return undefined;
  const floor = begins?.last ?? 0;
  const all = await allAfter(source, floor, newest);
  if (all === undefined) return undefined;
  const passed = all.filter(({ head }) => head.k === 'snap' && head.b > floor);
  const later = stream.isReplicated ? await fromOneOf(source, passed, all) : null;
  if (later === undefined) return undefined;
  const followed = later ?? (begins && { start, ...follow(begins.lastName, all) });
  if (followed === undefined) return undefined;
  // Without replicas nothing is stored that does not come after the last: then somebody deleted from the middle.
  if (start !== undefined && followed.voids.length > 0 && !stream.isReplicated) {
    throw new Error(`history: messages are missing on ${source.subject}`);
  }
  // Or what seems void follows from links that a newer snapshot let go of meanwhile.
  if (followed.voids.length > 0 && (await stream.last(source.subject))?.seq !== newest.seq) return undefined;
  const parted = await partedContents(stream, followed.links);
  return parted && { ...followed, parted };
}

/** Tells the links, each of which names the one before it, from what is none. */
function follow(lastName: string, all: readonly Link[]): Pick<Run<unknown>, 'links' | 'voids'> {
  const links: Link[] = [];
  const voids: number[] = [];
  let name = lastName;
  for (const link of all) {
    if (link.head.v === name) {
      links.push(link);
      name = link.head.u;
    } else voids.push(link.seq);
  }
  return { links, voids };
}

/**
 * What follows the newest of some snapshots; null when none of them counts, undefined when one was removed meanwhile.
 * Links up to where it was taken may be removed, so nothing older leads past them: a void message is no measure of that,
 * as its author did not know of it.
 */
async function fromOneOf<Change, F extends Fold<Change>>(
  source: ChainSource<Change, F>,
  snapshots: readonly Link[],
  all: readonly Link[],
): Promise<Omit<Run<F>, 'parted'> | null | undefined> {
  for (const snapshot of snapshots.toSorted((a, b) => b.head.b - a.head.b)) {
    const start = await restoreFrom(source, snapshot);
    if (start === undefined) return undefined;
    const { last, lastName } = start.links;
    const followed = follow(
      lastName,
      all.filter(({ seq }) => seq > last),
    );
    // One that is void itself does not follow from what it tells.
    if (followed.links.includes(snapshot)) return { start, ...followed };
  }
  return null;
}

/** All messages above `floor` up to `newest`, in order. */
async function allAfter<Change, F extends Fold<Change>>(
  source: ChainSource<Change, F>,
  floor: number,
  newest: Link,
): Promise<readonly Link[] | undefined> {
  const { stream } = source;
  const trailed = await linksAfter(stream, floor, newest);
  const isAll = trailed !== undefined && (!stream.isReplicated || (await areAll(source, floor, trailed)));
  return isAll ? trailed : messagesAfter(source, floor, newest.seq);
}

/** Whether these links are all messages above `floor`: a cluster may have stored one that no trail tells of. */
async function areAll<Change, F extends Fold<Change>>(
  { stream, subject }: ChainSource<Change, F>,
  floor: number,
  links: readonly Link[],
): Promise<boolean> {
  const before = [floor, ...links.slice(0, -1).map(({ seq }) => seq)];
  const nexts = await Promise.all(before.map((seq) => stream.next(seq + 1, subject)));
  return links.every(({ seq }, i) => nexts[i]?.seq === seq);
}

/** All messages above `floor` up to `end`, one by one: it relies on no trail, as that of a void message may be broken. */
async function messagesAfter<Change, F extends Fold<Change>>(
  { stream, subject }: ChainSource<Change, F>,
  floor: number,
  end: number,
): Promise<Link[] | undefined> {
  if (!stream.isReplicated) return undefined;
  const all: Link[] = [];
  for (let seq = floor; seq < end; ) {
    const message = await stream.next(seq + 1, subject);
    if (message === null) return undefined;
    all.push(decodeLink(message));
    seq = message.seq;
  }
  return all;
}

/** The sequences that a head tells, newest first. */
function trailOf({ c }: LinkHead): number[] {
  const trail: number[] = [];
  for (const [i, step] of c.entries()) trail.push(i === 0 ? step : (trail[i - 1] as number) - step);
  return trail;
}

/** The links above `floor` up to `newest`, in order. */
async function linksAfter(stream: Stream, floor: number, newest: Link): Promise<Link[] | undefined> {
  const found = [newest];
  for (let oldest = newest; ; ) {
    const trail = trailOf(oldest.head);
    const wanted = trail.filter((seq) => seq > floor);
    if (wanted.length === 0) break;
    const links = await linksOf(stream, wanted);
    if (links === undefined) return undefined;
    found.push(...links);
    oldest = links.at(-1) as Link;
    if (wanted.length < trail.length) break;
  }
  return found.reverse();
}

async function linksOf(stream: Stream, seqs: readonly number[]): Promise<Link[] | undefined> {
  const links: Link[] = [];
  for (const message of await stream.get(seqs)) {
    if (message === null) return undefined;
    links.push(decodeLink(message));
  }
  return links;
}

/** The standing that a newest link begins with; undefined when its snapshot was removed. */
async function restore<Change, F extends Fold<Change>>(
  source: ChainSource<Change, F>,
  newest: Link,
): Promise<Standing<F> | undefined> {
  if (newest.head.k === 'snap') return restoreFrom(source, newest);
  if (newest.head.s === 0) return { fold: source.kind.empty(), links: new Links() };
  const [named] = (await linksOf(source.stream, [newest.head.s])) ?? [];
  return named && restoreFrom(source, named);
}

/** Undefined when a part of it was removed. */
async function restoreFrom<Change, F extends Fold<Change>>(
  { stream, kind }: ChainSource<Change, F>,
  snapshot: Link,
): Promise<Standing<F> | undefined> {
  const content = await contentOf(stream, snapshot);
  if (content === undefined) return undefined;
  const { text, rest } = splitText(content);
  return { fold: kind.restore(rest), links: Links.restore(JSON.parse(text) as SavedLinks, snapshot.head.b) };
}

/** The content of a link, from its parts if it has some; undefined when one was removed. */
export async function contentOf(stream: Stream, { head: { p }, content }: Link): Promise<Uint8Array | undefined> {
  if (p === undefined) return content;
  const parts = await linksOf(stream, p);
  return parts && Buffer.concat(parts.map((part) => part.content));
}

/** The contents of changes that are in parts. These mostly lie just before. */
async function partedContents(stream: Stream, links: readonly Link[]): Promise<Map<number, Uint8Array> | undefined> {
  const known = new Map(links.map(({ seq, content }) => [seq, content]));
  const contents = new Map<number, Uint8Array>();
  for (const { seq, head } of links) {
    if (head.p === undefined || head.k !== undefined) continue;
    const others = await linksOf(
      stream,
      head.p.filter((part) => !known.has(part)),
    );
    if (others === undefined) return undefined;
    for (const other of others) known.set(other.seq, other.content);
    contents.set(seq, Buffer.concat(head.p.map((part) => known.get(part) as Uint8Array)));
  }
  return contents;
}
