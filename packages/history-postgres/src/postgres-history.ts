// A history store on PostgreSQL, shared by all servers that have it open. Joins the parts. Spec: §3, §4, §7; the decision:
// docs/decisions/0010.

import { type HistoryEngine, historyOver } from '@haip/history-engine';
import type { HistoryStore } from '@haip/protocol';
import pg from 'pg';
import { Caretaker } from './caretaker.ts';
import { Database } from './database.ts';
import { mayBeOfOne } from './failures.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { Opening } from './opening.ts';
import { type PostgresHistoryOptions, type PostgresPool, readOptions } from './options.ts';
import { Signals } from './signals.ts';
import { StoreTime } from './store-time.ts';
import { Upkeep } from './upkeep.ts';

/**
 * Logs in PostgreSQL, for any number of processes. Tables are made, or brought to this version, at the first use; what the
 * server refuses then rejects whatever was asked. While the server is away, what is asked waits for 5 to 10 s and
 * then rejects.
 *
 * @throws RangeError for an option out of its range; the message names it.
 */
export function postgresHistory(options: PostgresHistoryOptions): HistoryStore {
  const { connectionString, pool, schema, limits, clock, ids } = readOptions(options);
  const me = ids();
  const time = new StoreTime(me, clock ? () => clock.monotonic() : () => performance.now());
  const opening = new Opening({ schema, time, clock, ids });
  const caretaker = new Caretaker(schema, limits);
  const upkeep = new Upkeep(async () => {
    await database.use((session) => opening.beat(session));
    await database.use((session) => caretaker.round(session, time.now()));
  });
  const own = connectionString === undefined ? undefined : poolOf(connectionString);
  const database = new Database({
    pool: own ?? (pool as PostgresPool),
    async admit(session) {
      await opening.admit(session);
      upkeep.begin();
    },
    end: async () => own?.end(),
  });
  const reader = new LogReader(database, schema, limits, time);
  const signals = new Signals(me, database, schema, time);
  const writer = new LogWriter({
    database,
    schema,
    limits,
    time,
    tell: (session, changed, revoked) => signals.tell(session, changed, revoked),
  });
  const engine: HistoryEngine = {
    supports: { durable: true, shared: true },
    get: (transaction) => reader.get(transaction),
    list: (user, after) => reader.list(user, after),
    find: (transaction, user, id) => reader.find(transaction, user, id),
    read: (transaction, range) => reader.read(transaction, range),
    head: (transaction) => reader.head(transaction),
    heads: (transactions, since) => reader.heads(transactions, since),
    watch: (changed, revoked) => signals.watch(changed, revoked),
    notify: (topic, body) => signals.notify(topic, body),
    listen: (topic, heard) => signals.listen(topic, heard),
    commit: (works) => writer.commit(works),
    mayBeOfOne,
    async close() {
      await upkeep.stop();
      await writer.idle();
      // Who opens it next goes on from here.
      if (time.hasBegun)
        await database
          .use(
            (session) => opening.beat(session),
            () => false,
          )
          .catch(() => {});
      await signals.close();
      await database.end();
    },
  };
  return historyOver(engine);
}

function poolOf(connectionString: string): PostgresPool & { end(): Promise<void> } {
  return new pg.Pool({
    connectionString,
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    // Idle connections keep no process alive.
    allowExitOnIdle: true,
    application_name: 'haip-history',
  });
}
