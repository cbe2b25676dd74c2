// The store on Redis beside a loop of XADD and XRANGE over the same driver.

import { randomUUID } from 'node:crypto';
import { redisHistory } from '@haip/history-redis';
import type { Draft } from '@haip/protocol';
import { createClient } from '@redis/client';
import type { OpenStore } from '../opened-store.ts';

const url = process.env['HAIP_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

export const open: OpenStore = async (logs) => {
  const prefix = `haip-bench-${randomUUID()}`;
  const store = await redisHistory({ url, prefix, windowSize: 1_000_000, maxBytes: 2 ** 30, logger: () => {} });
  const client = await createClient({ url }).connect();
  const lasts = new Array<number>(logs + 1).fill(0);
  const keyOf = (log: number): string => `bare-${prefix}:${log}`;
  const append = async (log: number, { digest: _, subject: __, ...body }: Draft): Promise<void> => {
    const last = (lasts[log] ?? 0) + 1;
    lasts[log] = last;
    await client.sendCommand(['XADD', keyOf(log), `${last}-0`, 'b', JSON.stringify(body)]);
  };
  async function* keys(pattern: string): AsyncGenerator<string> {
    for await (const some of client.scanIterator({ MATCH: pattern, COUNT: 1000 })) yield* some;
  }
  const told = async (section: string, field: string): Promise<string> =>
    new RegExp(`${field}:(\\S+)`).exec(await client.info(section))?.[1] ?? '';
  return {
    what: `Redis ${await told('server', 'redis_version')}, appendonly ${await told('persistence', 'aof_enabled')}`,
    store,
    bare: {
      append,
      async fill(drafts) {
        await Promise.all(drafts.map((draft) => append(logs, draft)));
      },
      async read(from) {
        const range = ['XRANGE', keyOf(logs), `${from}-0`, '+', 'COUNT', '200'];
        const page = (await client.sendCommand(range)) as unknown as [string, [string, string]][];
        return page.map(([, [, body]]) => JSON.parse(body)).length;
      },
    },
    // Of the whole server, whoever else asks it.
    async engineMicros() {
      const [user, system] = await Promise.all(['used_cpu_user', 'used_cpu_sys'].map((field) => told('cpu', field)));
      return (Number(user) + Number(system)) * 1e6;
    },
    async storedBytes() {
      let bytes = 0;
      for await (const key of keys(`${prefix}*`)) bytes += (await client.memoryUsage(key, { SAMPLES: 0 })) ?? 0;
      return bytes;
    },
    async end() {
      for await (const key of keys(`*${prefix}*`)) await client.unlink(key);
      client.destroy();
    },
  };
};
