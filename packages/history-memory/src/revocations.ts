// Whose rights ended, for those who ask what happened since they last did. Keeps an hour of it, and so many at most.
// Spec: §5.

import type { Heads } from '@haip/protocol';

const HOUR_MS = 3_600_000;
const MOST = 10_000;

export class Revocations {
  readonly #users: { readonly user: string; readonly at: number }[] = [];
  /** How many were forgotten: the place of the first one kept. */
  #forgotten = 0;

  add(user: string, now: number): void {
    this.#forget(now);
    if (this.#users.length >= MOST) this.#drop(1);
    this.#users.push({ user, at: now });
  }

  /** The users revoked since a place, and the place now. */
  since(place: string | undefined, now: number): Pick<Heads, 'revoked' | 'place'> {
    this.#forget(now);
    const end = this.#forgotten + this.#users.length;
    const from = place === undefined ? end : Number(place);
    const revoked = this.#users
      .slice(Math.max(from - this.#forgotten, 0))
      .map(({ user, at }) => ({ user, agoMs: now - at }));
    return { revoked, place: String(end) };
  }

  #forget(now: number): void {
    const old = this.#users.findIndex(({ at }) => now - at < HOUR_MS);
    this.#drop(old < 0 ? this.#users.length : old);
  }

  #drop(count: number): void {
    this.#users.splice(0, count);
    this.#forgotten += count;
  }
}
