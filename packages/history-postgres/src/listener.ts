// Keeps one connection on the channel, for as long as somebody wants to hear. A connection that is lost is made again, with
// backoff, and what may have been missed meanwhile is looked up. Fault F29.

import { setTimeout as pause } from 'node:timers/promises';
import { fromColumn } from './column-text.ts';
import type { Database, Loan } from './database.ts';
import type { Schema } from './schema.ts';
import type { StoreTime } from './store-time.ts';

export interface ListenerOptions {
  readonly database: Database;
  readonly schema: Schema;
  readonly time: StoreTime;
  /** Told each payload of the channel. */
  heard(payload: string): void;
  /** Told what others may have done while nobody listened. */
  missed(changed: readonly string[], revoked: readonly string[]): void;
}

/** How often a silent connection is asked whether it is still there. */
const ASK_MS = 10_000;
const FIRST_DIAL_MS = 50;
const LAST_DIAL_MS = 2000;
/** Stores differ a little in what time it is. */
const MARGIN_MS = 5000;
/** Most transactions that are looked up as missed; what goes beyond is found by the position check. */
const MOST_MISSED = 10_000;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #sql: ReturnType<typeof statements>;
  readonly #stopped = new AbortController();
  readonly #done: Promise<void>;
  /** Up to when all was heard, by this process's steady clock: the store's time may not be known yet. */
  #heardUntil = performance.now();

  /** Listens until it is stopped. */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#sql = statements(options.schema);
    this.#done = this.#listen();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopped;
    for (let delay = FIRST_DIAL_MS; !signal.aborted; delay = Math.min(delay * 2, LAST_DIAL_MS)) {
      try {
        const loan = await this.#options.database.borrow();
        const heardAgain = (): void => {
          delay = FIRST_DIAL_MS;
        };
        await this.#keep(loan, heardAgain).finally(() => loan.giveBack(true));
      } catch {
        // Away; it is dialled again.
      }
      // Waiting for a server that is away keeps no process alive.
      if (!signal.aborted)
        await pause(delay * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => {});
    }
  }

  /** Listens on a connection until it is lost or nobody wants to hear any more. */
  async #keep({ session, client }: Loan, heardAgain: () => void): Promise<void> {
    const { schema, heard } = this.#options;
    const { signal } = this.#stopped;
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    client.on('end', () => over.abort());
    client.on('notification', ({ channel, payload }) => {
      if (channel === schema.channel && payload !== undefined && !signal.aborted) heard(payload);
    });
    await session.command(`LISTEN "${schema.channel}"`);
    await this.#catchUp(session);
    heardAgain();
    (client as { unref?: () => void }).unref?.();
    while (!ended.aborted) {
      const askedAt = performance.now();
      await session.command('SELECT');
      this.#heardUntil = askedAt;
      await pause(ASK_MS, undefined, { ref: false, signal: ended }).catch(() => {});
    }
  }

  async #catchUp(session: Loan['session']): Promise<void> {
    const askedAt = performance.now();
    const since = Math.floor(this.#options.time.now() - (askedAt - this.#heardUntil) - MARGIN_MS);
    const [changed, revoked] = (await session.all([
      { statement: this.#sql.changed, values: [since, MOST_MISSED] },
      { statement: this.#sql.revoked, values: [since] },
    ])) as [{ id: string }[], { revoked: string }[]];
    this.#heardUntil = askedAt;
    if (this.#stopped.signal.aborted) return;
    this.#options.missed(
      changed.map(({ id }) => fromColumn(id)),
      revoked.map((row) => fromColumn(row.revoked)),
    );
  }
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    changed: schema.statement(
      'changed_since',
      `SELECT t.id FROM ${s}.logs l JOIN ${s}.transactions t USING (serial) WHERE l.last_at >= $1 LIMIT $2`,
    ),
    revoked: schema.statement('revoked_since', `SELECT DISTINCT revoked FROM ${s}.revocations WHERE at >= $1`),
  };
}
