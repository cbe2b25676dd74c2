// What a Redis says of itself in the moment that it starts, which no test can hold a real one in.

import { expect, test } from 'vitest';
import type { RedisClient } from '../src/link.ts';
import { readServerFacts } from '../src/server-facts.ts';

/** A Redis that keeps everything, but for what is said otherwise. */
function saying(facts: Record<string, string>): RedisClient {
  const usual = {
    redis_version: '7.0.15',
    redis_mode: 'standalone',
    role: 'master',
    connected_slaves: '0',
    maxmemory: '0',
    aof_enabled: '1',
    loading: '0',
    run_id: 'run',
    master_replid: 'replica',
    evicted_keys: '0',
  };
  const info = Object.entries({ ...usual, ...facts }).map(([name, value]) => `${name}:${value}`);
  const config: Record<string, string> = { appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no' };
  const sendCommand = async ([command, , name = '']: string[]): Promise<unknown> =>
    command === 'INFO' ? info.join('\r\n') : { [name]: config[name] };
  return { sendCommand } as unknown as RedisClient;
}

test('F30: a Redis that writes its log always keeps everything', async () => {
  expect(await readServerFacts(saying({}))).toMatchObject({ run: 'run', keeps: 'everything' });
});

test('F30: one that still loads what it kept says that it logs nothing, and is not believed: it is asked again', async () => {
  await expect(readServerFacts(saying({ loading: '1', aof_enabled: '0' }))).rejects.toThrow('still loads it');
});
