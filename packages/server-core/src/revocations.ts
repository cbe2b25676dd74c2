// Whose rights ended while this node was there to hear of it: what was given before is worth nothing, a HAI that is
// being judged included. Keeps so many at most; the oldest goes first. Spec: §5.

const MOST = 10_000;

interface Revocation {
  /** Milliseconds since epoch; and by the monotonic clock. */
  readonly at: number;
  readonly before: number;
  /** Which of all it was. */
  readonly nth: number;
}

export class Revocations {
  readonly #users = new Map<string, Revocation>();
  #count = 0;

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** @param before credentials shown until then are worth nothing, by the monotonic clock; `at`: the same since epoch */
  add(user: string, at: number, before: number): void {
    this.#users.delete(user);
    this.#users.set(user, { at, before, nth: ++this.#count });
    if (this.#users.size <= MOST) return;
    for (const oldest of this.#users.keys()) {
      this.#users.delete(oldest);
      break;
    }
  }

  /** When a user's rights ended last; 0 when they never did. */
  at(user: string): number {
    return this.#users.get(user)?.at ?? 0;
  }

  /** Whether it was told since there were `count` that the rights ended of a user who showed credentials at `shownAt`. */
  hit(user: string, count: number, shownAt: number): boolean {
    const { nth = 0, before = 0 } = this.#users.get(user) ?? {};
    return nth > count && shownAt <= before;
  }
}
