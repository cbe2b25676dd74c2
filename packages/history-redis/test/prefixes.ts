import { createClient } from '@redis/client';
import { afterAll } from 'vitest';

/** The Redis that tests share. */
export const redisUrl = process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** Gives prefixes whose keys are gone when the file's tests are over. */
export function temporaryPrefixes(): () => string {
  const own = `haip-test-${crypto.randomUUID()}`;
  let count = 0;
  afterAll(async () => {
    const names = await keysOf(own);
    if (names.length === 0) return;
    const client = createClient({ url: redisUrl });
    await client.connect();
    await client.unlink(names);
    client.destroy();
  });
  return () => `${own}-${++count}`;
}

/** All keys whose names begin so, in order. */
export async function keysOf(prefix: string): Promise<string[]> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const names: string[] = [];
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) names.push(...keys);
  client.destroy();
  return names.sort();
}
