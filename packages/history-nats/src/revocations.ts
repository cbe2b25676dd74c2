// Whose rights ended, for those who ask what happened since they last did: one chain for all. Keeps an hour of it.
// Spec: §5.

import { placeOf, REVOKED_FOR_MS, serialOf } from '@haip/history-engine';
import type { Heads } from '@haip/protocol';
import { Chain, type ChainHost } from './chain.ts';
import type { Fold, FoldKind, Taken } from './fold.ts';
import type { Names } from './names.ts';
import type { Stream } from './stream.ts';

/** The users of one step, in order. */
type Change = readonly string[];
type Revoked = readonly [serial: number, user: string, at: number];

const kept: Taken = { holds: false, released: [] };

class RevocationFold implements Fold<Change> {
  newest = 0;
  #all: Revoked[] = [];

  get weight(): number {
    return this.#all.length;
  }

  /** Those after a serial that ended less than an hour before `now`. */
  since(serial: number, now: number): Revoked[] {
    return this.#all.filter(([one, , at]) => one > serial && now - at < REVOKED_FOR_MS);
  }

  take(users: Change, { at }: { readonly at: number }): Taken {
    this.#all = this.since(0, at);
    for (const user of users) this.#all.push([++this.newest, user, at]);
    return kept;
  }

  save(): Uint8Array {
    return Buffer.from(JSON.stringify([this.newest, this.#all]));
  }

  static readonly kind: FoldKind<Change, RevocationFold> = {
    empty: () => new RevocationFold(),
    restore(saved) {
      const fold = new RevocationFold();
      const [newest, all] = JSON.parse(Buffer.from(saved).toString()) as [number, Revoked[]];
      fold.newest = newest;
      fold.#all = all;
      return fold;
    },
    read: (content) => JSON.parse(Buffer.from(content).toString()) as Change,
  };
}

export class Revocations {
  readonly #host: ChainHost;
  readonly #chain: Chain<Change, RevocationFold>;

  constructor(host: ChainHost, stream: Stream, names: Names) {
    this.#host = host;
    this.#chain = new Chain(host, stream, names.revoked, RevocationFold.kind);
  }

  add(users: readonly string[]): Promise<void> {
    const content = Buffer.from(JSON.stringify(users));
    return this.#chain.commit(() => ({ answer: undefined, addition: { change: users, content } }));
  }

  /** The users revoked since a place, and the place now. */
  async since(place: string | undefined, epoch: string): Promise<Pick<Heads, 'revoked' | 'place'>> {
    await this.#chain.fresh();
    const { newest } = this.#chain.fold;
    const now = Math.max(this.#host.now(), this.#chain.lastAt);
    const revoked = this.#chain.fold
      .since(serialOf(place, epoch, newest), now)
      .map(([, user, at]) => ({ user, agoMs: now - at }));
    return { revoked, place: placeOf(epoch, newest) };
  }

  reset(): void {
    this.#chain.reset();
  }
}
