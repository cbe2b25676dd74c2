import { createClient } from '@redis/client';
import { afterAll } from 'vitest';

/** The Redis that tests share. */
export const redisUrl = process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** Gives prefixes whose keys are gone when the file's tests are over. */
export function temporaryPrefixes(url: string = redisUrl): () => string {
  const own = `haip-test-${crypto.randomUUID()}`;
  let count = 0;
  afterAll(async () => {
    const client = createClient({ url });
    await client.connect();
    for await (const keys of client.scanIterator({ MATCH: `${own}*`, COUNT: 1000 })) {
      if (keys.length > 0) await client.unlink(keys);
    }
    client.destroy();
  });
  return () => `${own}-${++count}`;
}
