// Word between the stores of a schema: that something was appended or revoked, and what is told to topics. All of it is a
// hint that may be lost. Listens only while somebody here wants to hear. Spec: §7.

import { LocalBackplane } from '@haip/history-engine';
import type { Backplane } from '@haip/protocol';
import type { Database } from './database.ts';
import { type Hint, payloadsOf, readHint, wordPayload } from './hints.ts';
import { Listener } from './listener.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import type { StoreTime } from './store-time.ts';

interface Watcher {
  readonly changed: (transaction: string) => void;
  readonly revoked: ((user: string) => void) | undefined;
}

export class Signals implements Backplane {
  readonly #me: string;
  readonly #database: Database;
  readonly #schema: Schema;
  readonly #time: StoreTime;
  readonly #sql: ReturnType<typeof statements>;
  readonly #local = new LocalBackplane();
  readonly #watchers = new Set<Watcher>();
  /** How many here listen to each topic. */
  readonly #topics = new Map<string, number>();
  #listener: Listener | undefined;
  /** Those that nobody needs any more. */
  #stopping: Promise<unknown> = Promise.resolve();

  /** @param me names this store among others. */
  constructor(me: string, database: Database, schema: Schema, time: StoreTime) {
    this.#me = me;
    this.#database = database;
    this.#schema = schema;
    this.#time = time;
    this.#sql = statements(schema);
  }

  watch(changed: Watcher['changed'], revoked?: Watcher['revoked']): () => void {
    const watcher = { changed, revoked };
    this.#watchers.add(watcher);
    this.#listenIfNeeded();
    return () => {
      this.#watchers.delete(watcher);
      this.#listenIfNeeded();
    };
  }

  listen(topic: string, heard: (body: Uint8Array) => void): () => void {
    const forget = this.#local.listen(topic, heard);
    this.#topics.set(topic, (this.#topics.get(topic) ?? 0) + 1);
    this.#listenIfNeeded();
    let isStopped = false;
    return () => {
      if (isStopped) return;
      isStopped = true;
      forget();
      const left = (this.#topics.get(topic) ?? 0) - 1;
      if (left > 0) this.#topics.set(topic, left);
      else this.#topics.delete(topic);
      this.#listenIfNeeded();
    };
  }

  async notify(topic: string, body: Uint8Array): Promise<void> {
    await this.#local.notify(topic, body);
    const payload = wordPayload(this.#me, topic, body);
    await this.#database.use((session) =>
      payload === undefined
        ? session.run(this.#sql.park, [Buffer.from(body), this.#schema.channel, this.#me, topic])
        : session.run(this.#sql.tell, [this.#schema.channel, JSON.stringify([payload])]),
    );
  }

  /** Tells the others what was committed: after the commit, or the commits of all stores would wait for each other. */
  async tell(session: Session, changed: readonly string[], revoked: readonly string[]): Promise<void> {
    const payloads = [...payloadsOf('changed', this.#me, changed), ...payloadsOf('revoked', this.#me, revoked)];
    if (payloads.length > 0) await session.run(this.#sql.tell, [this.#schema.channel, JSON.stringify(payloads)]);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#topics.clear();
    this.#listenIfNeeded();
    await this.#stopping;
  }

  #listenIfNeeded(): void {
    const isNeeded = this.#watchers.size + this.#topics.size > 0;
    if (isNeeded === (this.#listener !== undefined)) return;
    if (this.#listener !== undefined) {
      this.#stopping = Promise.all([this.#stopping, this.#listener.stop()]);
      this.#listener = undefined;
      return;
    }
    this.#listener = new Listener({
      database: this.#database,
      schema: this.#schema,
      time: this.#time,
      heard: (payload) => this.#take(readHint(payload)),
      missed: (changed, revoked) => this.#tellWatchers(changed, revoked),
    });
  }

  #take(hint: Hint | undefined): void {
    if (hint === undefined || hint.by === this.#me) return;
    if (hint.kind === 'changed') this.#tellWatchers(hint.names, []);
    else if (hint.kind === 'revoked') this.#tellWatchers([], hint.names);
    else if (!this.#topics.has(hint.topic)) return;
    else if (hint.kind === 'word') void this.#local.notify(hint.topic, hint.body);
    // A word that cannot be fetched is lost, as words may be.
    else this.#fetch(hint.topic, hint.id).catch(() => {});
  }

  #tellWatchers(changed: readonly string[], revoked: readonly string[]): void {
    for (const watcher of this.#watchers) {
      for (const transaction of changed) watcher.changed(transaction);
      for (const user of revoked) watcher.revoked?.(user);
    }
  }

  async #fetch(topic: string, id: number): Promise<void> {
    const [word] = await this.#database.use((session) => session.run<{ body: Uint8Array }>(this.#sql.word, [id]));
    if (word !== undefined) await this.#local.notify(topic, word.body);
  }
}

function statements(schema: Schema) {
  const s = schema.quoted;
  return {
    tell: schema.statement('tell', 'SELECT pg_notify($1, payload) FROM json_array_elements_text($2) AS p (payload)'),
    park: schema.statement(
      'park',
      `WITH word AS (INSERT INTO ${s}.words (body) VALUES ($1) RETURNING id)
       SELECT pg_notify($2, json_build_array('parked', $3::text, $4::text, id)::text) FROM word`,
    ),
    word: schema.statement('word', `SELECT body FROM ${s}.words WHERE id = $1`),
  };
}
