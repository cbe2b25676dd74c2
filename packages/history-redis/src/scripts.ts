// The scripts as Redis keeps them: each is one step there, so that append order is commit order and no two nodes ever
// judge at once. Loaded with each connection, called by their digests. Spec: §3.

import { createHash } from 'node:crypto';
import type { WindowLimits } from '@haip/history-engine';
import type { RedisClient } from './link.ts';
import { common, subjects, windows } from './lua/common.ts';
import { append, create, judging, remove, tidy } from './lua/judging.ts';
import { attend, compact, lease, revoke, saveLease } from './lua/keeping.ts';
import { heads, read } from './lua/reading.ts';
import type { StoreTime } from './store-time.ts';

const log = common + subjects;
const window = log + windows;
const sources = {
  append: window + judging + append,
  create: window + judging + create,
  tidy: window + judging + tidy,
  remove: window + judging + remove,
  compact: window + compact,
  lease: common + lease,
  saveLease: common + saveLease,
  read: window + read,
  heads: window + heads,
  revoke: common + revoke,
  attend: common + attend,
};

export type ScriptName = keyof typeof sources;
/** What is sent: texts as UTF-8, bytes as they are. */
export type Argument = string | Buffer;

const digests = Object.fromEntries(
  Object.entries(sources).map(([name, source]) => [name, createHash('sha1').update(source).digest('hex')]),
) as Readonly<Record<ScriptName, string>>;

export class Scripts {
  readonly #time: StoreTime;
  readonly #limits: readonly string[];
  /** What scripts note of the server when one of them has to begin an epoch: five words. */
  identity = '';

  constructor(time: StoreTime, { windowSize, windowTimeMs, maxBytes, keyTtlMs, recordTtlMs }: WindowLimits) {
    this.#time = time;
    this.#limits = [windowSize, windowTimeMs, maxBytes, keyTtlMs, recordTtlMs, Math.ceil(2 * recordTtlMs)].map(String);
  }

  async load(client: RedisClient): Promise<void> {
    await Promise.all(Object.values(sources).map((source) => client.sendCommand(['SCRIPT', 'LOAD', source])));
  }

  /** The command that calls one. */
  command(name: ScriptName, keys: readonly string[], args: readonly Argument[]): Argument[] {
    const time = this.#time;
    const begin = ['EVALSHA', digests[name], String(keys.length)];
    return [...begin, ...keys, this.identity, String(time.now()), time.wall(), ...this.#limits, ...args];
  }
}
