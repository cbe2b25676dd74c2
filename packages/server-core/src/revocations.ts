// Whose rights ended while this node was there to hear of it: what was given before is worth nothing, a HAI that is
// being judged included. Keeps so many at most; the oldest goes first. Spec: §5.

const MOST = 10_000;

interface Revocation {
  /** Milliseconds since epoch. */
  readonly at: number;
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

  add(user: string, now: number): void {
    this.#users.delete(user);
    this.#users.set(user, { at: now, nth: ++this.#count });
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

  /** Whether a user's rights ended since there were `count`. */
  hit(user: string, count: number): boolean {
    return (this.#users.get(user)?.nth ?? 0) > count;
  }
}
