// How many turns a user has going on at once on this node: those that take time, over all transactions. A turn too many
// waits in its transaction until one of the user's has ended. Bounded by the turns themselves. Spec: §8.

export class TurnSlots {
  readonly #most: number;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether the user may begin another turn. When not, `again` is called once it is worth asking again. */
  hasRoom(user: string, again: () => void): boolean {
    if (this.#taken.size === 0 || (this.#taken.get(user) ?? 0) < this.#most) return true;
    const waiting = this.#waiting.get(user) ?? new Set();
    this.#waiting.set(user, waiting.add(again));
    return false;
  }

  /** Nobody waits behind `again` any more. */
  forget(user: string, again: () => void): void {
    this.#waiting.get(user)?.delete(again);
  }

  take(user: string): void {
    this.#taken.set(user, (this.#taken.get(user) ?? 0) + 1);
  }

  free(user: string): void {
    const left = (this.#taken.get(user) ?? 1) - 1;
    if (left > 0) this.#taken.set(user, left);
    else this.#taken.delete(user);
    const waiting = this.#waiting.get(user);
    if (waiting === undefined) return;
    this.#waiting.delete(user);
    // In the order they came; who finds no room again waits again, in that order.
    for (const again of waiting) again();
  }
}
