// What a store must know of the Redis it is connected to: that it fits, which one it is, and what it keeps. Reads only.
// Spec: docs/decisions/0011.

import type { RedisClient } from './link.ts';

export interface ServerFacts {
  /** Another one after each start of the server. */
  readonly run: string;
  /** Another one when a replica takes over. */
  readonly replica: string;
  /** How many keys were dropped for want of memory. */
  readonly evicted: number;
  /** What was acknowledged is there after a restart: all of it, what was written most recently, or nothing. */
  readonly keeps: 'everything' | 'most' | 'nothing';
}

/** The oldest version with all that is used (XTRIM MINID, exclusive ranges). */
const OLDEST = [6, 2] as const;

/** @throws Error for a server that is not fit: it names what was expected and what came. */
export async function readServerFacts(client: RedisClient): Promise<ServerFacts> {
  const [info, config] = await Promise.all([
    // One after the other: several at once are known from version 7 on only.
    Promise.all(['server', 'replication', 'memory', 'stats', 'persistence'].map((part) => ask(client, ['INFO', part]))),
    configOf(client),
  ]);
  const facts = new Map(info.flatMap((text) => linesOf(String(text))));
  const fact = (name: string): string => facts.get(name) ?? '';
  checkVersion(fact('redis_version'));
  if (fact('redis_mode') === 'cluster') throw new Error('expected a single Redis, got one of a cluster');
  if (fact('role') !== 'master')
    throw new Error(`expected a Redis that takes writes, got one with role ${fact('role')}`);
  // Until then it says that nothing is logged.
  if (fact('loading') !== '0')
    throw new Error('expected a Redis that has read what it kept, got one that still loads it');
  checkEviction(fact('maxmemory'), fact('maxmemory_policy'));
  // A replica may take over without what came last.
  const isAlone = fact('connected_slaves') === '0';
  const isAlways = config.get('appendfsync') === 'always' && config.get('no-appendfsync-on-rewrite') === 'no';
  const isLogged = fact('aof_enabled') === '1';
  return {
    run: fact('run_id') || 'none',
    replica: fact('master_replid') || 'none',
    evicted: Number(fact('evicted_keys')),
    keeps: !isLogged ? 'nothing' : isAlways && isAlone ? 'everything' : 'most',
  };
}

function ask(client: RedisClient, command: string[]): Promise<unknown> {
  return client.sendCommand(command);
}

function linesOf(info: string): [string, string][] {
  return info.split('\r\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
}

/** Empty where it may not be asked: then the server is not known to keep everything. */
async function configOf(client: RedisClient): Promise<ReadonlyMap<string, string>> {
  try {
    const answers = await Promise.all(
      ['appendfsync', 'no-appendfsync-on-rewrite'].map((name) => ask(client, ['CONFIG', 'GET', name])),
    );
    return new Map(answers.flatMap((answer) => Object.entries(answer as Record<string, string>)));
  } catch {
    return new Map();
  }
}

function checkVersion(version: string): void {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (isOld || Number.isNaN(minor)) {
    throw new Error(`expected Redis ${OLDEST.join('.')} or later, got ${version || 'a server that does not say'}`);
  }
}

function checkEviction(maxmemory: string, policy: string): void {
  if (maxmemory === '0' || policy === 'noeviction') return;
  throw new Error(
    `expected maxmemory-policy noeviction, got ${policy} with maxmemory ${maxmemory}: it would drop parts of logs`,
  );
}
