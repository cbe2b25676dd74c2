// A history store on Redis, shared by all servers that name the same prefix. Joins the parts; the log's laws are in the
// scripts. Spec: §3, §4, §7; the decision: docs/decisions/0011.

import type { HistoryStore } from '@haip/protocol';
import { Caller } from './caller.ts';
import { Caretaker } from './caretaker.ts';
import { Hints, HintWords } from './hints.ts';
import { Keys } from './keys.ts';
import { Link } from './link.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { type RedisHistoryOptions, readOptions } from './options.ts';
import { Scripts } from './scripts.ts';
import { StoreTime } from './store-time.ts';
import { Underway } from './underway.ts';

/**
 * Connects to logs in Redis, which any number of servers share. What was settled survives the servers; whether it survives
 * Redis is for its settings to say (README). While Redis is away everything rejects at once and may be tried again.
 *
 * @throws RangeError for an option out of its range; the message names it.
 * @throws Error for a Redis that is not reached, is older than 6.2, takes no writes, or may evict keys.
 */
export async function redisHistory(options: RedisHistoryOptions): Promise<HistoryStore> {
  const { url, address, database, prefix, limits, logger, clock, ownWall, ids } = readOptions(options);
  const keys = new Keys(prefix, database);
  const time = new StoreTime(clock, ownWall);
  const scripts = new Scripts(time, limits);
  const words = new HintWords(crypto.randomUUID());
  const caretaker = new Caretaker({ scripts, time, keys, logger, candidate: ids() });
  const link = new Link({ url, address, name: 'commands', logger, begin: caretaker.begin });
  const caller = new Caller(link, scripts);
  const hints = new Hints(caller, keys, words, logger);
  const ear = new Link({ url, address, name: 'hints', logger, begin: hints.begin });
  await link.start();
  try {
    await ear.start();
  } catch (error) {
    await link.close();
    throw error;
  }
  caretaker.start(link, caller);

  const writer = new LogWriter(caller, keys, words);
  const reader = new LogReader(caller, keys);
  const underway = new Underway();
  const ask = <T>(asked: () => Promise<T>): Promise<T> => underway.add(asked);
  return {
    supports: { durable: true, shared: true },
    create: (record, first) => ask(() => writer.create(record, first)),
    append: (transaction, drafts, fence) =>
      drafts.length === 0 && !underway.isClosed ? undefined : ask(() => writer.append(transaction, drafts, fence)),
    get: (transaction) => ask(() => reader.get(transaction)),
    list: (user, after) => ask(() => reader.list(user, after)),
    find: (transaction, user, id) => ask(() => reader.find(transaction, user, id)),
    read: (transaction, range) => ask(() => reader.read(transaction, range)),
    head: (transaction) => ask(() => reader.head(transaction)),
    heads: (transactions, since) => ask(() => reader.heads(transactions, since)),
    revoke: (user) => ask(() => writer.revoke(user)),
    compact: (transaction, message) => ask(() => writer.compact(transaction, message)),
    lease: (transaction, holder, ttlMs) => ask(() => writer.lease(transaction, holder, ttlMs)),
    saveLease: (transaction, fence, record) => ask(() => writer.saveLease(transaction, fence, record)),
    watch: (changed, revoked) => hints.watch(changed, revoked),
    notify: (topic, body) => ask(() => hints.notify(topic, body)),
    listen: (topic, heard) => hints.listen(topic, heard),
    close: () =>
      underway.close(async () => {
        await caretaker.stop();
        await caretaker.look(link, caller);
        await hints.leave();
        await ear.close();
        await link.close();
      }),
  };
}
