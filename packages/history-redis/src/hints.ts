// What stores tell each other in passing: that a log changed, that a user's rights ended, and what `notify` carries. On a
// connection of its own, as one that is too slow to hear is cut off. What is missed is missed. Spec: §5, §7; fault F31.

import type { Backplane, HistoryStore, Logger } from '@haip/protocol';
import type { Caller } from './caller.ts';
import { decodeId, type Keys } from './keys.ts';
import type { RedisClient } from './link.ts';

type Heard = (body: Uint8Array) => void;
type Watch = HistoryStore['watch'];

/** How hints are worded: who says it, what it is, of whom. A store takes no notice of its own. */
export class HintWords {
  readonly #self: string;

  /** @param self names this store; without a space. */
  constructor(self: string) {
    this.#self = self;
  }

  /** @param transaction an encoded id. */
  changed(transaction: string): string {
    return `${this.#self} c ${transaction}`;
  }

  /** @param user an encoded id. */
  revoked(user: string): string {
    return `${this.#self} r ${user}`;
  }

  /** What another store says; undefined for what this one said, or for no hint at all. */
  read(message: string): { readonly kind: 'changed' | 'revoked'; readonly id: string } | undefined {
    const [from, kind, name] = message.split(' ');
    if (from === this.#self || name === undefined || (kind !== 'c' && kind !== 'r')) return undefined;
    return { kind: kind === 'c' ? 'changed' : 'revoked', id: decodeId(name) };
  }
}

export class Hints implements Backplane {
  readonly #caller: Caller;
  readonly #keys: Keys;
  readonly #words: HintWords;
  readonly #logger: Logger;
  readonly #watchers = new Set<Parameters<Watch>>();
  readonly #channels = new Map<string, Set<Heard>>();
  /** The newest connection, from the moment on at which it is told what to listen to. */
  #client: RedisClient | undefined;

  constructor(caller: Caller, keys: Keys, words: HintWords, logger: Logger) {
    this.#caller = caller;
    this.#keys = keys;
    this.#words = words;
    this.#logger = logger;
    this.#channels.set(keys.hints, new Set([this.#hint]));
  }

  /** Makes a connection ready: it listens to all there is to be heard. */
  readonly begin = async (client: RedisClient): Promise<void> => {
    this.#client = client;
    await client.subscribe([...this.#channels.keys()], this.#hear, true);
  };

  watch(...watcher: Parameters<Watch>): () => void {
    // One of its own for each call, also of the same functions.
    const own: Parameters<Watch> = [...watcher];
    this.#watchers.add(own);
    return () => void this.#watchers.delete(own);
  }

  async notify(topic: string, body: Uint8Array): Promise<void> {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    await this.#caller.send(['PUBLISH', this.#keys.topic(topic), bytes]);
  }

  listen(topic: string, heard: Heard): () => void {
    const channel = this.#keys.topic(topic);
    const all = this.#channels.get(channel) ?? new Set();
    const own: Heard = (body) => heard(body);
    all.add(own);
    if (!this.#channels.has(channel)) {
      this.#channels.set(channel, all);
      this.#tell((client) => client.subscribe(channel, this.#hear, true));
    }
    return () => {
      if (!all.delete(own) || all.size > 0) return;
      this.#channels.delete(channel);
      this.#tell((client) => client.unsubscribe(channel, this.#hear, true));
    };
  }

  /** Takes leave, so that no other store takes this one for one that runs. */
  async leave(): Promise<void> {
    if (!this.#client?.isReady) return;
    await this.#client.unsubscribe().catch(() => {
      // The connection was just lost, which is as good.
    });
  }

  /** Says it on the connection there is; the next one begins with all channels anyway. */
  #tell(say: (client: RedisClient) => Promise<void>): void {
    if (this.#client === undefined) return;
    say(this.#client).catch((error: unknown) => this.#logger('debug', 'redis not listened to', { error }));
  }

  readonly #hear = (body: Buffer, channel: Buffer): void => {
    for (const heard of this.#channels.get(channel.toString()) ?? []) heard(body);
  };

  readonly #hint: Heard = (body) => {
    const hint = this.#words.read(body.toString());
    if (hint === undefined) return;
    for (const [changed, revoked] of this.#watchers) {
      if (hint.kind === 'changed') changed(hint.id);
      else revoked?.(hint.id);
    }
  };
}
