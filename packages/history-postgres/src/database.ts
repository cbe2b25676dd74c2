// Lends out connections of the pool. A connection is admitted once, before its first use; while the server is away one
// dial at a time tries again, with backoff, and who asks waits for a while. Faults F25, F29.

import { setTimeout as pause } from 'node:timers/promises';
import { isOutage } from './failures.ts';
import type { PostgresClient, PostgresPool } from './options.ts';
import { Session } from './session.ts';

/** How long who asks waits for a server that is away. */
const PATIENCE_MS = 5000;
const FIRST_DIAL_MS = 50;
const LAST_DIAL_MS = 1000;

export interface DatabaseOptions {
  readonly pool: PostgresPool;
  /** Looks whether a new connection is one to the history that the store has in hand. */
  admit(session: Session): Promise<void>;
  /** Ends the pool, when it is the store's own. */
  end(): Promise<void>;
}

/** The server is not there, or went away in the middle: what was asked may be asked again. */
class AwayError extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`history: PostgreSQL is not to be reached (${reason}); the same may be tried again`, { cause });
    this.name = 'AwayError';
  }
}

/** A borrowed connection. */
export interface Loan {
  readonly session: Session;
  readonly client: PostgresClient;
  /** Gives it back, or ends it. */
  giveBack(destroy: boolean): void;
}

export class Database {
  readonly #options: DatabaseOptions;
  readonly #sessions = new WeakMap<PostgresClient, Session>();
  #outage: Promise<void> | undefined;
  #isEnded = false;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    // Or a connection that dies while nobody uses it would end the process.
    options.pool.on('error', () => {});
  }

  /**
   * Lends a connection for as long as `work` takes. While the server is away it is tried again for 5 s; then it rejects
   * with {@link AwayError}.
   *
   * @param mayRepeat whether the work may be begun anew after the connection was lost in the middle of it.
   */
  async use<T>(work: (session: Session) => Promise<T>, mayRepeat: () => boolean = () => true): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (!mayRepeat() || this.#isEnded || performance.now() > until) throw new AwayError(error);
      }
      this.#outage ??= this.#dial().finally(() => {
        this.#outage = undefined;
      });
      await this.#outage;
    }
  }

  /** A connection to keep. Tries once. */
  async borrow(): Promise<Loan> {
    const client = await this.#options.pool.connect();
    const known = this.#sessions.get(client);
    const session = known ?? new Session(client);
    if (known === undefined) {
      try {
        await this.#options.admit(session);
      } catch (error) {
        client.release(true);
        throw error;
      }
      this.#sessions.set(client, session);
    }
    return { session, client, giveBack: (destroy) => client.release(destroy) };
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#options.end();
  }

  async #once<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { session, giveBack } = await this.borrow();
    try {
      const result = await work(session);
      giveBack(false);
      return result;
    } catch (error) {
      // One that was lost would only be waited for again.
      giveBack(isOutage(error) || !(await session.rollback()));
      throw error;
    }
  }

  /** Resolves once a connection can be had, or nobody need wait any longer. */
  async #dial(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (
      let delay = FIRST_DIAL_MS;
      performance.now() < until && !this.#isEnded;
      delay = Math.min(delay * 2, LAST_DIAL_MS)
    ) {
      // Or all servers would dial at the same moments.
      await pause(delay * (0.5 + Math.random() / 2));
      try {
        (await this.borrow()).giveBack(false);
        return;
      } catch (error) {
        // What is no outage will be said to who asks.
        if (!isOutage(error)) return;
      }
    }
  }
}
