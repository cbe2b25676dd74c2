// Who is here: the live connections of each user on this node. Counts and finds, and does nothing to them.

import type { Session } from './session.ts';

const none: readonly Session[] = [];

export class Users {
  readonly #sessions = new Map<string, Session[]>();

  /** A user's live connections; one that ends while they are gone through may be missing. */
  of(user: string): readonly Session[] {
    return this.#sessions.get(user) ?? none;
  }

  enter(session: Session): void {
    const present = this.#sessions.get(session.user.id);
    if (present === undefined) this.#sessions.set(session.user.id, [session]);
    else present.push(session);
  }

  leave(session: Session): void {
    const { id } = session.user;
    const left = this.of(id).filter((other) => other !== session);
    if (left.length > 0) this.#sessions.set(id, left);
    else this.#sessions.delete(id);
  }
}
