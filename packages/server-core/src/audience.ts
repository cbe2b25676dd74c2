// The connections that read one log, as those who write to it see them: whether anybody keeps up. Never sends, never
// holds anything back by itself. Spec: §4.1.

/** A connection that reads. */
export interface Listener {
  /** Whose connection it is. */
  readonly user: string;
  /** The last position it was sent. */
  readonly position: number;
}

export class Audience {
  readonly #listeners = new Set<Listener>();
  /** Who kept up when that was asked last: most often still does. */
  #foremost: Listener | undefined;
  /** Made when somebody first waits: hardly anybody ever does. */
  #waiting: Set<() => void> | undefined;

  join(listener: Listener): void {
    this.#listeners.add(listener);
    this.moved();
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#foremost === listener) this.#foremost = undefined;
    this.moved();
  }

  /** Somebody was sent more, came or went. */
  moved(): void {
    if (this.#waiting === undefined) return;
    for (const look of this.#waiting) look();
  }

  /**
   * Whether anybody has been sent everything up to `position`, or nobody is there to be.
   *
   * @param user only this user's connections count; absent: all
   */
  reaches(position: number, user?: string): boolean {
    const first = this.#foremost;
    if (first !== undefined && first.position >= position && (user ?? first.user) === first.user) return true;
    let isEmpty = true;
    for (const listener of this.#listeners) {
      if (user !== undefined && listener.user !== user) continue;
      isEmpty = false;
      if (listener.position < position) continue;
      this.#foremost = listener;
      return true;
    }
    return isEmpty;
  }

  /** Resolves when something is so; looks whenever the audience moves. Ends with the signal, too. */
  until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    return new Promise((resolve) => {
      const look = (): void => {
        if (!signal.aborted && !isSo()) return;
        waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      waiting.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }
}
